import { webcrypto } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ALGORITHM, certificateLibrary } from '../../src/base/certificates.ts'
import { formatKubeconfig } from '../../src/client/kubeconfig.ts'
import { findKubectl, kubectl } from '../support/kubectl.ts'
import { type SecuredCluster, startSecuredCluster } from '../support/secured-cluster.ts'

/** Users and their rights as kubectl shows them: what each is told is what Kubernetes would tell them. */
const { reason } = findKubectl()
const directory = mkdtempSync(join(tmpdir(), 'seamark-access-e2e-'))
const auditPath = join(directory, 'audit.log')
const readerConfig = join(directory, 'reader.kubeconfig')
let cluster: SecuredCluster

const POLICY = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - {level: None, users: [system:serviceaccount:team-a:reader], verbs: [get]}
  - {level: RequestResponse}
`

async function run(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await kubectl(cluster.kubeconfig, args)
  if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`)
  return stdout.trim()
}

/** What the reader is told, with the code kubectl ends with. */
async function asReader(...args: readonly string[]) {
  const { code, stdout, stderr } = await kubectl(readerConfig, args)
  return [code, (stderr || stdout).trim()]
}

describe.skipIf(reason !== undefined)('access with kubectl', () => {
  beforeAll(async () => {
    const policyPath = join(directory, 'policy.yaml')
    writeFileSync(policyPath, POLICY)
    cluster = await startSecuredCluster({ audit: { path: auditPath, policyPath } })
    await run('create', 'namespace', 'team-a')
    await run('create', 'serviceaccount', 'reader', '-n', 'team-a')
    await run('create', 'role', 'pods', '-n', 'team-a', '--verb=list', '--resource=pods')
    await run(
      'create',
      'rolebinding',
      'pods',
      '-n',
      'team-a',
      '--role=pods',
      '--serviceaccount=team-a:reader',
    )
    const token = await run('create', 'token', 'reader', '-n', 'team-a', '--duration=1h')
    const { server, authorityPem } = cluster.connection
    writeFileSync(
      readerConfig,
      formatKubeconfig('reader', { server, authorityPem, token, namespace: 'team-a' }),
    )
  })
  afterAll(async () => {
    await cluster?.close()
    rmSync(directory, { recursive: true })
  })

  const WHO = 'User "system:serviceaccount:team-a:reader"'
  const FORBIDDEN = 'Error from server (Forbidden):'

  test.each([
    [['get', 'pods'], 0, 'No resources found in team-a namespace.'],
    [
      ['get', 'pod', 'web'],
      1,
      `${FORBIDDEN} pods "web" is forbidden: ${WHO} cannot get resource "pods" in API group "" in the namespace "team-a"`,
    ],
    [
      ['get', 'pods', '-n', 'default'],
      1,
      `${FORBIDDEN} pods is forbidden: ${WHO} cannot list resource "pods" in API group "" in the namespace "default"`,
    ],
    [
      ['get', 'pods', '-A'],
      1,
      `${FORBIDDEN} pods is forbidden: ${WHO} cannot list resource "pods" in API group "" at the cluster scope`,
    ],
    [
      ['get', 'deployments'],
      1,
      `${FORBIDDEN} deployments.apps is forbidden: ${WHO} cannot list resource "deployments" in API group "apps" in the namespace "team-a"`,
    ],
    [
      ['get', 'secrets'],
      1,
      `${FORBIDDEN} secrets is forbidden: ${WHO} cannot list resource "secrets" in API group "" in the namespace "team-a"`,
    ],
    [
      ['delete', 'pod', 'web'],
      1,
      `${FORBIDDEN} pods "web" is forbidden: ${WHO} cannot delete resource "pods" in API group "" in the namespace "team-a"`,
    ],
    [
      ['get', 'nodes'],
      1,
      `${FORBIDDEN} nodes is forbidden: ${WHO} cannot list resource "nodes" in API group "" at the cluster scope`,
    ],
    [
      ['create', 'configmap', 'x'],
      1,
      'error: failed to create configmap: configmaps is forbidden: User "system:serviceaccount:team-a:reader" cannot create resource "configmaps" in API group "" in the namespace "team-a"',
    ],
    [['get', '--raw', '/metrics'], 1, `${FORBIDDEN} forbidden: ${WHO} cannot get path "/metrics"`],
    [['auth', 'can-i', 'list', 'pods'], 0, 'yes'],
    [['auth', 'can-i', 'get', 'pods'], 1, 'no'],
    [['auth', 'can-i', 'list', 'pods', '-n', 'default'], 1, 'no'],
  ])('a service account that may only list pods: kubectl %j', async (args, code, said) => {
    expect(await asReader(...args)).toEqual([code, said])
  })

  test('auth can-i --list shows every right', async () => {
    const [code, said] = await asReader('auth', 'can-i', '--list')
    expect(code).toBe(0)
    const rows = String(said)
      .split('\n')
      .map((line) => line.split(/ {2,}/).join(' | ').trim())
    expect(rows[0]).toBe('Resources | Non-Resource URLs | Resource Names | Verbs')
    expect(rows).toContain('pods | [] | [] | [list]')
    expect(rows).toContain('selfsubjectreviews.authentication.k8s.io | [] | [] | [create]')
    expect(rows).toContain('| [/version] | [] | [get]')
  })

  test('auth whoami shows the account and the token it came with', async () => {
    const [code, said] = await asReader('auth', 'whoami')
    expect(code).toBe(0)
    expect(said).toMatch(/^Username +system:serviceaccount:team-a:reader$/m)
    expect(said).toMatch(
      /^Groups +\[system:serviceaccounts system:serviceaccounts:team-a system:authenticated\]$/m,
    )
    expect(said).toMatch(/credential-id +\[JTI=[0-9a-f-]{36}\]/)
  })

  test('--as shows an administrator what others see', async () => {
    const as = ['--as=jane', '--as-group=dev']
    expect(await run('auth', 'whoami', '-o', 'jsonpath={.status.userInfo}', ...as)).toBe(
      '{"groups":["dev","system:authenticated"],"username":"jane"}',
    )
    const { stderr } = await kubectl(cluster.kubeconfig, ['get', 'pods', ...as])
    expect(stderr.trim()).toBe(
      `${FORBIDDEN} pods is forbidden: User "jane" cannot list resource "pods" in API group "" in the namespace "default"`,
    )
  })

  test('auth reconcile completes a role and its binding', async () => {
    const file = join(directory, 'rbac.yaml')
    const role = (verbs: string) => `apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: nodes}
rules:
  - {apiGroups: [""], resources: [nodes], verbs: [${verbs}]}
`
    writeFileSync(file, role('get'))
    await run('auth', 'reconcile', '-f', file)
    writeFileSync(file, role('list'))
    await run('auth', 'reconcile', '-f', file)
    expect(await run('get', 'clusterrole', 'nodes', '-o', 'jsonpath={.rules[*].verbs}')).toBe(
      '["get"] ["list"]',
    )
  })

  test('roles and bindings are listed as Kubernetes lists them', async () => {
    const row = async (...args: readonly string[]) =>
      (await run(...args, '--no-headers')).split(/ {2,}/).map((cell) => cell.trim())
    expect((await row('get', 'role', 'pods', '-n', 'team-a'))[1]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
    const [name, role, , , , accounts] = await row('get', 'rolebinding', 'pods', '-n', 'team-a', '-o', 'wide')
    expect([name, role]).toEqual(['pods', 'Role/pods'])
    expect(accounts ?? (await run('get', 'rolebinding', 'pods', '-n', 'team-a', '-o', 'wide'))).toContain(
      'team-a/reader',
    )
  })

  test('certificate approve gives a user who has a key a certificate', async () => {
    const x509 = await certificateLibrary()
    const keys = (await webcrypto.subtle.generateKey(ALGORITHM, true, [
      'sign',
      'verify',
    ])) as webcrypto.CryptoKeyPair
    const request = await x509.Pkcs10CertificateRequestGenerator.create({
      name: 'CN=ada, O=dev',
      keys,
      signingAlgorithm: ALGORITHM,
    })
    const manifest = {
      apiVersion: 'certificates.k8s.io/v1',
      kind: 'CertificateSigningRequest',
      metadata: { name: 'ada' },
      spec: {
        request: Buffer.from(`${request.toString('pem')}\n`).toString('base64'),
        signerName: 'kubernetes.io/kube-apiserver-client',
        expirationSeconds: 86_400,
        usages: ['client auth'],
      },
    }
    const file = join(directory, 'csr.json')
    writeFileSync(file, JSON.stringify(manifest))
    await run('create', '-f', file)
    expect(await run('get', 'csr', 'ada', '--no-headers')).toMatch(
      /^ada +\S+ +kubernetes.io\/kube-apiserver-client +kubernetes-admin +24h +Pending$/,
    )
    expect(await run('certificate', 'approve', 'ada')).toBe(
      'certificatesigningrequest.certificates.k8s.io/ada approved',
    )
    await run('wait', '--for=jsonpath={.status.certificate}', 'csr/ada', '--timeout=10s')
    expect(await run('get', 'csr', 'ada', '--no-headers')).toMatch(/ Approved,Issued$/)
    const pem = Buffer.from(
      await run('get', 'csr', 'ada', '-o', 'jsonpath={.status.certificate}'),
      'base64',
    ).toString()
    const keyPem = x509.PemConverter.encode(
      await webcrypto.subtle.exportKey('pkcs8', keys.privateKey),
      'PRIVATE KEY',
    )
    const { server, authorityPem } = cluster.connection
    const config = join(directory, 'ada.kubeconfig')
    writeFileSync(config, formatKubeconfig('ada', { server, authorityPem, certificatePem: pem, keyPem }))
    const { stdout } = await kubectl(config, ['auth', 'whoami', '-o', 'jsonpath={.status.userInfo}'])
    expect(JSON.parse(stdout)).toMatchObject({ username: 'ada', groups: ['dev', 'system:authenticated'] })
  })

  test('the audit log names who did what, and holds no secret', async () => {
    await run('create', 'secret', 'generic', 'password', '--from-literal=it=correct-horse')
    await run('create', 'configmap', 'plain', '--from-literal=it=battery-staple')
    await cluster.ask('GET', '/version')
    const text = readFileSync(auditPath, 'utf8')
    const events = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(text).not.toContain('correct-horse')
    expect(text).not.toContain(Buffer.from('correct-horse').toString('base64'))
    expect(text).toContain('battery-staple')
    const made = events.find(
      ({ verb, responseObject }) => verb === 'create' && responseObject?.metadata?.name === 'plain',
    )
    expect(made).toMatchObject({
      kind: 'Event',
      apiVersion: 'audit.k8s.io/v1',
      level: 'RequestResponse',
      stage: 'ResponseComplete',
      user: { username: 'kubernetes-admin' },
      objectRef: { resource: 'configmaps', namespace: 'default', apiVersion: 'v1' },
      responseStatus: { code: 201 },
      annotations: { 'authorization.k8s.io/decision': 'allow' },
    })
    expect(made.responseObject.metadata.managedFields).toBeDefined()
    const denied = events.filter(
      ({ annotations }) => annotations?.['authorization.k8s.io/decision'] === 'forbid',
    )
    expect(denied.map(({ user }) => user.username)).toContain('system:serviceaccount:team-a:reader')
    expect(events.some(({ user, verb }) => user.username.endsWith(':reader') && verb === 'get')).toBe(false)
  })
})
