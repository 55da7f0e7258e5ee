import { generateKeyPairSync } from 'node:crypto'
import { SignJWT } from 'jose'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createTestCluster, type TestCluster } from '../../../../test/support/cluster.ts'
import { make } from '../../../../test/support/make.ts'
import { pod } from '../../../api/kinds/pod.ts'
import { type ServiceAccount, serviceAccount } from '../../../api/kinds/service-account.ts'
import { findBound } from './bound-objects.ts'
import { ISSUER, ServiceAccountTokens } from './service-account-tokens.ts'

const newKey = () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
const key = newKey()
const keyPem = key.export({ type: 'pkcs8', format: 'pem' }) as string
const HOUR_S = 3600

let cluster: TestCluster
let tokens: ServiceAccountTokens
let account: ServiceAccount

beforeEach(async () => {
  cluster = await createTestCluster()
  tokens = new ServiceAccountTokens(cluster.env, cluster.registry.reader, keyPem)
  account = await cluster.client.create(serviceAccount, serviceAccount.example)
})
afterEach(() => cluster.close())

const issue = (more: object = {}) =>
  tokens.issue({ account, audiences: [ISSUER], expirationSeconds: HOUR_S, ...more })

describe('A service account token', () => {
  test('is good until its time has come, also when it was good before', async () => {
    const { token, expiresAt } = await issue()
    expect(expiresAt - cluster.clock.now()).toBe(HOUR_S * 1000)
    expect((await tokens.authenticate(token))?.user.name).toBe('system:serviceaccount:default:builder')
    await cluster.clock.run(HOUR_S * 1000 - 1)
    expect(await tokens.authenticate(token)).toBeDefined()
    await cluster.clock.run(1)
    expect(await tokens.authenticate(token)).toBeUndefined()
  })

  test('ends with the pod it is bound to, not with another of the same name', async () => {
    const { metadata, spec } = make.pod()
    const made = { ...make.pod(), spec: { ...spec, serviceAccountName: 'builder' } }
    await cluster.client.create(pod, made)
    const reference = { apiVersion: 'v1', kind: 'Pod', name: metadata.name }
    const at = { namespace: 'default', name: 'builder' }
    const { token } = await issue({ bound: await findBound(cluster.registry.reader, reference, at) })
    const { user } = (await tokens.authenticate(token)) ?? {}
    expect(user?.extra?.['authentication.kubernetes.io/pod-name']).toEqual([metadata.name])
    await cluster.client.delete(pod, { namespace: 'default', name: metadata.name }, { gracePeriodSeconds: 0 })
    expect(await tokens.authenticate(token)).toBeUndefined()
    await cluster.client.create(pod, made)
    expect(await tokens.authenticate(token)).toBeUndefined()
  })

  test.each<[string, object, string]>([
    [
      'of another kind',
      { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
      'cannot bind token to object of type apps/v1, Kind=Deployment',
    ],
    [
      'of another account',
      { apiVersion: 'v1', kind: 'Pod', name: 'web' },
      'cannot bind token for serviceaccount "builder" to pod running with different serviceaccount name.',
    ],
    [
      'that was another',
      { apiVersion: 'v1', kind: 'Pod', name: 'web', uid: 'x' },
      'the UID in the bound object reference (x) does not match the UID in record',
    ],
    ['that is not there', { apiVersion: 'v1', kind: 'Secret', name: 'x' }, 'secrets "x" not found'],
  ])('is not bound to an object %s', async (_, reference, why) => {
    await cluster.client.create(pod, make.pod({ metadata: { name: 'web' } }))
    const bound = findBound(cluster.registry.reader, reference, { namespace: 'default', name: 'builder' })
    await expect(bound).rejects.toThrow(why)
  })

  test.each<[string, { by?: ReturnType<typeof newKey>; uid?: string; [claim: string]: unknown }]>([
    ['signed by another key', { by: newKey() }],
    ['of another issuer', { iss: 'https://elsewhere' }],
    ['without an end', { exp: undefined }],
    ['for nobody', { aud: [] }],
    ['of an account with another UID', { uid: 'x' }],
  ])('%s is not good', async (_, wrong) => {
    const { by = key, uid = account.metadata.uid, ...claims } = wrong
    const seconds = Math.floor(cluster.clock.now() / 1000)
    const token = await new SignJWT({
      iss: ISSUER,
      aud: [ISSUER],
      exp: seconds + HOUR_S,
      'kubernetes.io': { namespace: 'default', serviceaccount: { name: 'builder', uid } },
      ...claims,
    })
      .setProtectedHeader({ alg: 'ES256' })
      .sign(by)
    expect(await tokens.authenticate(token)).toBeUndefined()
  })
})
