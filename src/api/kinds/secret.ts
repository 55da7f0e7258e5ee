import { deepEqual } from '../../base/json.ts'
import { ageColumn, nameColumn } from '../age.ts'
import { validateDataKeys } from '../data-keys.ts'
import type { V1Secret } from '../generated/types.ts'
import { defineKind } from '../kind.ts'
import type { Stored } from '../resource.ts'
import { fault, type StatusCause } from '../status.ts'
import { WAVE } from '../waves.ts'

export type Secret = Stored<V1Secret>

const BYTES_MAX = 1024 * 1024

/** What each well-known type must hold. */
const REQUIRED_KEYS: ReadonlyMap<string, readonly string[]> = new Map([
  ['kubernetes.io/dockercfg', ['.dockercfg']],
  ['kubernetes.io/dockerconfigjson', ['.dockerconfigjson']],
  ['kubernetes.io/ssh-auth', ['ssh-privatekey']],
  ['kubernetes.io/tls', ['tls.crt', 'tls.key']],
])

export const secret = defineKind<Secret>({
  group: '',
  version: 'v1',
  kind: 'Secret',
  plural: 'secrets',
  scope: 'Namespaced',
  schema: 'V1Secret',
  applyWave: WAVE.configuration,
  fieldSelectors: { type: ({ type }) => type ?? '' },
  setDefaults: (resource) => (resource.type ? resource : { ...resource, type: 'Opaque' }),
  prepareForCreate: mergeStringData,
  prepareForUpdate: mergeStringData,
  validate({ data = {}, type = 'Opaque', metadata }) {
    const wrong: StatusCause[] = validateDataKeys(data, 'data')
    const bytes = Object.values(data).reduce((sum, text) => sum + Buffer.byteLength(text, 'base64'), 0)
    if (bytes > BYTES_MAX) wrong.push(fault.tooLong('data', BYTES_MAX))
    const has = (key: string) => Object.hasOwn(data, key)
    for (const key of REQUIRED_KEYS.get(type) ?? []) if (!has(key)) wrong.push(fault.required(`data[${key}]`))
    if (type === 'kubernetes.io/basic-auth' && !has('username') && !has('password')) {
      wrong.push(fault.required('data[username]'), fault.required('data[password]'))
    }
    const account = 'kubernetes.io/service-account.name'
    if (type === 'kubernetes.io/service-account-token' && !metadata.annotations?.[account]) {
      wrong.push(fault.required(`metadata.annotations[${account}]`))
    }
    return wrong
  },
  validateUpdate(resource, old) {
    const wrong: StatusCause[] = []
    if (resource.type !== old.type) wrong.push(fault.invalid('type', resource.type, 'field is immutable'))
    if (old.immutable !== true) return wrong
    if (resource.immutable !== true)
      wrong.push(fault.forbidden('immutable', 'field is immutable when `immutable` is set'))
    if (!deepEqual(resource.data, old.data))
      wrong.push(fault.forbidden('data', 'field is immutable when `immutable` is set'))
    return wrong
  },
  columns: [
    nameColumn,
    {
      name: 'Type',
      type: 'string',
      description: 'Used to facilitate programmatic handling of secret data.',
      value: ({ type }) => type ?? '',
    },
    {
      name: 'Data',
      type: 'string',
      description: 'Data contains the secret data.',
      value: ({ data = {} }) => Object.keys(data).length,
    },
    ageColumn,
  ],
  example: {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'token', namespace: 'default' },
    type: 'Opaque',
    data: { token: 'c2VhbWFyaw==' },
  },
})

/** stringData is for writing only: it is merged into data and never stored. */
function mergeStringData(resource: Secret): Secret {
  if (!resource.stringData) return resource
  const { stringData, ...rest } = resource
  const encoded = Object.entries(stringData).map(([key, text]) => [key, Buffer.from(text).toString('base64')])
  return { ...rest, data: { ...resource.data, ...Object.fromEntries(encoded) } }
}
