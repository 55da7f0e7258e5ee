import { describe, expect, test } from 'vitest'
import { make } from '../../../test/support/make.ts'
import { environmentOf, subPathFault, withSubPaths } from './environment.ts'
import type { PodSources } from './sources.ts'
import { mountedFiles } from './volume-files.ts'

const PLACE = {
  node: 'worker-0',
  hostIP: '10.1.0.1',
  podIP: '10.2.0.7',
  allocatable: { cpu: '3500m', memory: '8Gi' },
}
const DATA: Readonly<Record<string, Readonly<Record<string, Uint8Array>>>> = {
  'ConfigMap/settings': { colour: Buffer.from('blue'), size: Buffer.from('3') },
  'Secret/keys': { token: Buffer.from('s3cret') },
}
const sources: PodSources = {
  prepare: () => Promise.resolve(),
  data: (kind, name) => DATA[`${kind}/${name}`],
  services: () => ({ DB_SERVICE_HOST: '10.96.0.9' }),
  token: ({ audience = 'api' }) => (audience === 'none' ? undefined : `token for ${audience}`),
}
const container = (fields: object) => ({ name: 'app', image: 'x', ...fields })
const pod = (fields: object, spec: object = {}) =>
  make.pod({
    metadata: { name: 'web', namespace: 'shop', uid: 'u1', labels: { app: 'web' } },
    spec: { containers: [container(fields)], ...spec },
  })

describe('The environment of a container', () => {
  test.each<[string, object, string | undefined]>([
    ['a value', { value: 'plain' }, 'plain'],
    ['what came before it', { value: 'on $(HOSTNAME)' }, 'on web'],
    ['a doubled dollar', { value: '$$(HOSTNAME)' }, '$(HOSTNAME)'],
    ['an unknown name as it is', { value: '$(NOPE)' }, '$(NOPE)'],
    ['where a service is', { value: 'at $(DB_SERVICE_HOST)' }, 'at 10.96.0.9'],
    ['a key of a ConfigMap', { valueFrom: { configMapKeyRef: { name: 'settings', key: 'colour' } } }, 'blue'],
    ['a key of a Secret', { valueFrom: { secretKeyRef: { name: 'keys', key: 'token' } } }, 's3cret'],
    [
      'nothing for an optional key',
      { valueFrom: { secretKeyRef: { name: 'keys', key: 'x', optional: true } } },
      undefined,
    ],
    ['the name', { valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }, 'web'],
    ['a label', { valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } }, 'web'],
    ['the node', { valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } }, 'worker-0'],
    ['the address', { valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }, '10.2.0.7'],
    [
      'a limit in parts',
      { valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '1m' } } },
      '250',
    ],
    [
      'what the node has, where there is no limit',
      { valueFrom: { resourceFieldRef: { resource: 'limits.memory', divisor: '1Gi' } } },
      '8',
    ],
    [
      'nothing, where there is no request',
      { valueFrom: { resourceFieldRef: { resource: 'requests.memory' } } },
      '0',
    ],
    ['a limit rounded up', { valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } }, '1'],
  ])('holds %s', (_, source, value) => {
    const fields = { env: [{ name: 'X', ...source }], resources: { limits: { cpu: '250m' } } }
    expect(environmentOf(pod(fields), container(fields), PLACE, sources)['X']).toBe(value)
  })

  test('takes whole maps, with a prefix, and lets its own variables win', () => {
    const fields = {
      envFrom: [{ prefix: 'S_', configMapRef: { name: 'settings' } }],
      env: [{ name: 'S_size', value: '4' }],
    }
    expect(environmentOf(pod(fields), container(fields), PLACE, sources)).toEqual({
      HOSTNAME: 'web',
      S_colour: 'blue',
      S_size: '4',
    })
  })
})

describe('The files of a volume', () => {
  test.each<[string, object, object, Readonly<Record<string, string>>]>([
    [
      'are the keys of a ConfigMap',
      { configMap: { name: 'settings' } },
      {},
      { '/etc/app/colour': 'blue', '/etc/app/size': '3' },
    ],
    [
      'are the chosen keys',
      { configMap: { name: 'settings', items: [{ key: 'size', path: 'a/b' }] } },
      {},
      { '/etc/app/a/b': '3' },
    ],
    ['are the keys of a Secret', { secret: { secretName: 'keys' } }, {}, { '/etc/app/token': 's3cret' }],
    [
      'are one file with a sub path',
      { configMap: { name: 'settings' } },
      { subPath: 'size' },
      { '/etc/app': '3' },
    ],
    [
      'tell about the pod',
      { downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } },
      {},
      { '/etc/app/labels': 'app="web"' },
    ],
    [
      'come from several sources',
      {
        projected: {
          sources: [
            { secret: { name: 'keys' } },
            { configMap: { name: 'settings', items: [{ key: 'size', path: 'size' }] } },
          ],
        },
      },
      {},
      { '/etc/app/token': 's3cret', '/etc/app/size': '3' },
    ],
    [
      'are the tokens there are',
      {
        projected: {
          sources: [
            { serviceAccountToken: { path: 'token' } },
            { serviceAccountToken: { path: 'vault', audience: 'vault' } },
            { serviceAccountToken: { path: 'none', audience: 'none' } },
          ],
        },
      },
      {},
      { '/etc/app/token': 'token for api', '/etc/app/vault': 'token for vault' },
    ],
    ['are none when the source is missing', { configMap: { name: 'gone', optional: true } }, {}, {}],
  ])('%s', (_, source, mount, files) => {
    const fields = { volumeMounts: [{ name: 'v', mountPath: '/etc/app', ...mount }] }
    const shown = mountedFiles(
      pod(fields, { volumes: [{ name: 'v', ...source }] }),
      container(fields),
      PLACE,
      sources,
    )
    expect(Object.fromEntries(shown.map(({ path, bytes }) => [path, Buffer.from(bytes).toString()]))).toEqual(
      files,
    )
  })
})

test.each([
  ['$(POD)/logs', undefined],
  ['$(NOBODY)/logs', 'missing value for "NOBODY"'],
  ['$(ROOT)', 'error SubPath `/etc` must not be an absolute path'],
  ['logs/$(UP)/x', "unable to provision SubPath `logs/../x`: must not contain '..'"],
])('The subPathExpr %s has the fault %s', (subPathExpr, why) => {
  const fields = { volumeMounts: [{ name: 'v', mountPath: '/logs', subPathExpr }] }
  expect(subPathFault(container(fields), { POD: 'web', ROOT: '/etc', UP: '..' })).toBe(why)
})

test('A mount with a subPathExpr shows the folder that the environment names', () => {
  const fields = {
    env: [{ name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
    volumeMounts: [
      { name: 'v', mountPath: '/logs', subPathExpr: '$(POD)/$(NODE)' },
      { name: 'v', mountPath: '/all' },
    ],
  }
  const env = { ...environmentOf(pod(fields), container(fields), PLACE, sources), NODE: 'a' }
  expect(
    withSubPaths(
      container(fields),
      (name: string) => (env as Record<string, string>)[name],
    ).volumeMounts?.map(({ subPath }) => subPath),
  ).toEqual(['web/a', undefined])
})
