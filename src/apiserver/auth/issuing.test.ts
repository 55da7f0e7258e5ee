import { webcrypto, X509Certificate } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  eventually,
  type SecuredCluster,
  startSecuredCluster,
} from '../../../test/support/secured-cluster.ts'
import { ALGORITHM, certificateLibrary } from '../../base/certificates.ts'

let cluster: SecuredCluster
beforeAll(async () => {
  cluster = await startSecuredCluster()
})
afterAll(() => cluster.close())

const REQUESTS = '/apis/certificates.k8s.io/v1/certificatesigningrequests'

let keyPem = ''

/** A PKCS 10 request for a new key, in base64 as the API wants it; `keyPem` is its key. */
async function newRequest(subject: string): Promise<string> {
  const x509 = await certificateLibrary()
  const keys = (await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign'])) as webcrypto.CryptoKeyPair
  const key = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)
  keyPem = x509.PemConverter.encode(key, 'PRIVATE KEY')
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: subject,
    keys,
    signingAlgorithm: ALGORITHM,
  })
  return Buffer.from(`${request.toString('pem')}\n`).toString('base64')
}

async function submit(name: string, spec: object) {
  return cluster.ask('POST', REQUESTS, { body: { metadata: { name }, spec } })
}

const client = { signerName: 'kubernetes.io/kube-apiserver-client', usages: ['client auth'] }

async function approve(name: string, type = 'Approved') {
  const { body } = await cluster.ask('GET', `${REQUESTS}/${name}`)
  const condition = { type, status: 'True', reason: 'KubectlApprove', message: 'by hand' }
  return cluster.ask('PUT', `${REQUESTS}/${name}/approval`, {
    body: { ...body, status: { ...body.status, conditions: [condition] } },
  })
}

function issued(name: string): Promise<void> {
  return eventually(
    async () => (await cluster.ask('GET', `${REQUESTS}/${name}`)).body.status?.certificate !== undefined,
  )
}

describe('certificates', () => {
  test('an approved request becomes a certificate its owner is known by', async () => {
    const made = await submit('jane', {
      request: await newRequest('O=dev, CN=jane'),
      expirationSeconds: 3600,
      ...client,
    })
    expect(made.code).toBe(201)
    expect(made.body.spec).toMatchObject({
      username: 'kubernetes-admin',
      groups: ['system:masters', 'system:authenticated'],
    })
    expect((await approve('jane')).code).toBe(200)
    await eventually(
      async () => (await cluster.ask('GET', `${REQUESTS}/jane`)).body.status.certificate !== undefined,
    )
    const { body } = await cluster.ask('GET', `${REQUESTS}/jane`)
    const certificate = new X509Certificate(Buffer.from(body.status.certificate, 'base64'))
    expect(certificate.subject.split('\n')).toEqual(['O=dev', 'CN=jane'])
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2'])
    const hours = (Date.parse(certificate.validTo) - Date.now()) / 3_600_000
    expect(hours).toBeGreaterThan(0.9)
    expect(hours).toBeLessThan(1.01)
    const self = await cluster.ask('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {
      body: {},
      certificate: certificate.toString(),
      key: keyPem,
    })
    expect(self.body.status.userInfo).toEqual({ username: 'jane', groups: ['dev', 'system:authenticated'] })
  })

  test('what the signer does not sign fails with the reason', async () => {
    const request = await newRequest('O=system:nodes, CN=system:node:n1')
    await submit('n1', {
      request,
      signerName: 'kubernetes.io/kubelet-serving',
      usages: ['digital signature', 'server auth'],
    })
    await approve('n1')
    await eventually(
      async () => (await cluster.ask('GET', `${REQUESTS}/n1`)).body.status.conditions.length === 2,
    )
    const { body } = await cluster.ask('GET', `${REQUESTS}/n1`)
    expect(body.status.conditions[1]).toMatchObject({
      type: 'Failed',
      reason: 'SignerValidationFailure',
      message: 'DNS or IP subjectAltName is required',
    })
  })

  test('a kubelet that may ask gets its client certificate without a human', async () => {
    const request = await newRequest('O=system:nodes, CN=system:node:n2')
    const usages = ['digital signature', 'client auth']
    await submit('n2', { request, signerName: 'kubernetes.io/kube-apiserver-client-kubelet', usages })
    await eventually(
      async () => (await cluster.ask('GET', `${REQUESTS}/n2`)).body.status?.certificate !== undefined,
    )
  })

  test.each([
    [
      'of a group that may do everything',
      'O=system:masters, CN=x',
      403,
      'with system:masters group is not allowed',
    ],
    ['that is none', undefined, 422, 'spec.request'],
  ])('a request %s is refused', async (_, subject, code, why) => {
    const request =
      subject === undefined
        ? Buffer.from(
            '-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n',
          ).toString('base64')
        : await newRequest(subject)
    const answer = await submit('bad', { request, ...client })
    expect(answer.code).toBe(code)
    expect(answer.body.message).toContain(why)
  })

  test('what was approved is not denied afterwards', async () => {
    await submit('both', { request: await newRequest('CN=both'), ...client })
    await approve('both')
    await issued('both')
    const { body } = await approve('both', 'Denied')
    expect(body.message).toContain('updates may not remove a condition of type "Approved"')
  })

  test('a Secret of an account holds a token that works until the account goes', async () => {
    await cluster.ask('POST', '/api/v1/namespaces/default/serviceaccounts', {
      body: { metadata: { name: 'old' } },
    })
    const annotations = { 'kubernetes.io/service-account.name': 'old' }
    await cluster.ask('POST', '/api/v1/namespaces/default/secrets', {
      body: { metadata: { name: 'old-token', annotations }, type: 'kubernetes.io/service-account-token' },
    })
    const path = '/api/v1/namespaces/default/secrets/old-token'
    await eventually(async () => (await cluster.ask('GET', path)).body.data?.token !== undefined)
    const { body } = await cluster.ask('GET', path)
    const token = Buffer.from(body.data.token, 'base64').toString()
    const api = () => cluster.ask('GET', '/api', { token })
    expect((await api()).code).toBe(200)
    await cluster.ask('DELETE', '/api/v1/namespaces/default/serviceaccounts/old')
    expect((await api()).code).toBe(401)
    await eventually(async () => (await cluster.ask('GET', path)).code === 404)
  })

  test('the use of a token in a Secret is noted by its day, and one that is marked invalid is good for nothing', async () => {
    const metadata = { name: 'noted' }
    await cluster.ask('POST', '/api/v1/namespaces/default/serviceaccounts', { body: { metadata } })
    const annotations = { 'kubernetes.io/service-account.name': 'noted' }
    await cluster.ask('POST', '/api/v1/namespaces/default/secrets', {
      body: { metadata: { name: 'noted', annotations }, type: 'kubernetes.io/service-account-token' },
    })
    const path = '/api/v1/namespaces/default/secrets/noted'
    const held = async () => (await cluster.ask('GET', path)).body
    await eventually(async () => (await held()).data?.token !== undefined)
    const token = Buffer.from((await held()).data.token, 'base64').toString()
    const api = () => cluster.ask('GET', '/api', { token })
    expect((await api()).code).toBe(200)
    const lastUsed = async () =>
      (await held()).metadata.labels?.['kubernetes.io/legacy-token-last-used'] ?? ''
    await eventually(async () => (await lastUsed()) !== '')
    expect(await lastUsed()).toMatch(/^\d{4}-\d\d-\d\d$/)
    const marked = await held()
    const labels = { ...marked.metadata.labels, 'kubernetes.io/legacy-token-invalid-since': '2026-01-01' }
    await cluster.ask('PUT', path, { body: { ...marked, metadata: { ...marked.metadata, labels } } })
    expect((await api()).code).toBe(401)
  })

  test('the day from which on such uses are noted is written down', async () => {
    const name = 'kube-apiserver-legacy-service-account-token-tracking'
    const path = `/api/v1/namespaces/kube-system/configmaps/${name}`
    await eventually(async () => (await cluster.ask('GET', path)).code === 200)
    expect((await cluster.ask('GET', path)).body.data.since).toMatch(/^\d{4}-\d\d-\d\d$/)
  })

  test('the Service of the API server has endpoints, which are not ready where only this machine can reach it', async () => {
    const path = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes'
    await eventually(async () => (await cluster.ask('GET', path)).code === 200)
    const { body } = await cluster.ask('GET', path)
    const { port } = new URL(cluster.connection.server)
    expect(body.ports).toEqual([{ name: 'https', port: Number(port), protocol: 'TCP' }])
    expect(body.endpoints[0].conditions).toEqual({ ready: false })
    const older = '/api/v1/namespaces/default/endpoints/kubernetes'
    await eventually(async () => (await cluster.ask('GET', older)).code === 200)
  })

  test('every namespace holds the certificate that proves the server', async () => {
    const path = '/api/v1/namespaces/kube-system/configmaps/kube-root-ca.crt'
    await eventually(async () => (await cluster.ask('GET', path)).code === 200)
    const { body } = await cluster.ask('GET', path)
    expect(new X509Certificate(body.data['ca.crt']).ca).toBe(true)
  })

  test('admin, edit and view hold the rules aggregated to them', async () => {
    const rules = async (name: string) =>
      (await cluster.ask('GET', `/apis/rbac.authorization.k8s.io/v1/clusterroles/${name}`)).body.rules ?? []
    await eventually(async () => (await rules('admin')).length > 20)
    expect((await rules('view')).every(({ verbs }: { verbs: string[] }) => !verbs.includes('create'))).toBe(
      true,
    )
  })
})
