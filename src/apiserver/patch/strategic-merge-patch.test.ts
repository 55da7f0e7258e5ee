import { describe, expect, test } from 'vitest'
import { deployment } from '../../api/kinds/deployment.ts'
import { pod } from '../../api/kinds/pod.ts'
import { service } from '../../api/kinds/service.ts'
import { deepFreeze } from '../../base/json.ts'
import { strategicMergePatch } from './strategic-merge-patch.ts'

const strategic = (spec: object, patch: object, schema = pod.schema) =>
  (strategicMergePatch(deepFreeze({ spec }), deepFreeze({ spec: patch }), schema) as { spec: unknown }).spec

const a = { name: 'a', image: 'a:1' }
const b = { name: 'b', image: 'b:1' }
const c = { name: 'c', image: 'c:1' }
const containers = (...list: object[]) => ({ containers: list })
const env = (...list: object[]) => containers({ name: 'a', env: list })
const ports = (...list: object[]) => containers({ name: 'a', ports: list })
const X = { name: 'X', value: '1' }
const Y = { name: 'Y', value: '2' }

type Row = readonly [sentence: string, original: object, patch: object, expected: object]

const lists: readonly Row[] = [
  [
    'changes the container of that name',
    containers(a, b),
    containers({ name: 'b', image: 'b:2' }),
    containers(a, { name: 'b', image: 'b:2' }),
  ],
  [
    'keeps what the patch does not say of an item',
    containers(a),
    containers({ name: 'a', tty: true }),
    containers({ ...a, tty: true }),
  ],
  ['puts a new item before the ones of the server', containers(a), containers(b), containers(b, a)],
  [
    'puts several new items in their order before the ones of the server',
    containers(a),
    containers(c, b),
    containers(c, b, a),
  ],
  [
    'puts a new item where the patch has it among known ones',
    containers(a, b),
    containers(a, c, b),
    containers(a, c, b),
  ],
  [
    'takes the order of the patch for items it names',
    containers(a, b),
    containers({ name: 'b' }, { name: 'a' }),
    containers(b, a),
  ],
  [
    'keeps the items of the server where they stood',
    containers(a, b, c),
    containers({ name: 'b', image: 'x' }),
    containers(a, { name: 'b', image: 'x' }, c),
  ],
  ['makes a list that was not there', {}, containers(a), containers(a)],
  ['leaves a list alone that the patch gives as empty', containers(a), containers(), containers(a)],
  ['makes an empty list that was not there', {}, containers(), containers()],
  ['removes a list with null', { containers: [a], hostname: 'h' }, { containers: null }, { hostname: 'h' }],
  ['deletes an item', containers(a, b), containers({ name: 'a', $patch: 'delete' }), containers(b)],
  ['deletes the only item', containers(a), containers({ name: 'a', $patch: 'delete' }), containers()],
  [
    'deletes nothing when the item is not there',
    containers(a),
    containers({ name: 'z', $patch: 'delete' }),
    containers(a),
  ],
  ['deletes all items of a repeated name', env(X, Y, X), env({ name: 'X', $patch: 'delete' }), env(Y)],
  [
    'deletes one item and changes another',
    containers(a, b),
    containers({ name: 'a', $patch: 'delete' }, { name: 'b', image: 'x' }),
    containers({ name: 'b', image: 'x' }),
  ],
  [
    'does not add an item that the patch deletes from a new list',
    {},
    env({ name: 'X', $patch: 'delete' }),
    env(),
  ],
  ['replaces a whole list', containers(a, b), containers({ $patch: 'replace' }, c), containers(c)],
  ['empties a list with a lone replace', containers(a, b), containers({ $patch: 'replace' }), containers()],
  [
    'takes $patch: merge for what happens anyway',
    containers(a),
    containers({ name: 'a', tty: true, $patch: 'merge' }),
    containers({ ...a, tty: true }),
  ],
  ['merges lists inside items', env(X), env(Y), env(Y, X)],
  [
    'changes an item inside an item',
    env(X, Y),
    env({ name: 'Y', value: '3' }),
    env(X, { name: 'Y', value: '3' }),
  ],
  ['removes a field of an item with null', env(X), env({ name: 'X', value: null }), env({ name: 'X' })],
  [
    'drops nulls in new items',
    {},
    containers({ name: 'a', image: null, args: ['1'] }),
    containers({ name: 'a', args: ['1'] }),
  ],
  [
    'replaces lists that are atomic',
    containers({ name: 'a', args: ['1', '2'] }),
    containers({ name: 'a', args: ['3'] }),
    containers({ name: 'a', args: ['3'] }),
  ],
  [
    'replaces an atomic list of objects',
    { tolerations: [{ key: 'a' }] },
    { tolerations: [{ key: 'b' }] },
    { tolerations: [{ key: 'b' }] },
  ],
  [
    'merges container ports by containerPort',
    ports({ containerPort: 80 }),
    ports({ containerPort: 80, name: 'http' }),
    ports({ containerPort: 80, name: 'http' }),
  ],
  [
    'tells ports apart by number, not by text',
    ports({ containerPort: 80 }),
    ports({ containerPort: 81 }),
    ports({ containerPort: 81 }, { containerPort: 80 }),
  ],
  [
    'merges volumes by name',
    { volumes: [{ name: 'v', emptyDir: {} }] },
    { volumes: [{ name: 'w', emptyDir: {} }] },
    {
      volumes: [
        { name: 'w', emptyDir: {} },
        { name: 'v', emptyDir: {} },
      ],
    },
  ],
  [
    'merges volume mounts by path',
    containers({ name: 'a', volumeMounts: [{ name: 'v', mountPath: '/v' }] }),
    containers({ name: 'a', volumeMounts: [{ mountPath: '/v', readOnly: true }] }),
    containers({ name: 'a', volumeMounts: [{ name: 'v', mountPath: '/v', readOnly: true }] }),
  ],
  [
    'merges pull secrets by name',
    { imagePullSecrets: [{ name: 'x' }] },
    { imagePullSecrets: [{ name: 'x' }] },
    { imagePullSecrets: [{ name: 'x' }] },
  ],
  [
    'merges topology spread constraints by key',
    { topologySpreadConstraints: [{ topologyKey: 'zone', maxSkew: 1 }] },
    { topologySpreadConstraints: [{ topologyKey: 'zone', maxSkew: 2 }] },
    { topologySpreadConstraints: [{ topologyKey: 'zone', maxSkew: 2 }] },
  ],
]

const maps: readonly Row[] = [
  ['sets a field', {}, { hostname: 'h' }, { hostname: 'h' }],
  ['changes a field', { hostname: 'h' }, { hostname: 'i' }, { hostname: 'i' }],
  ['removes a field with null', { hostname: 'h', containers: [a] }, { hostname: null }, containers(a)],
  ['removes nothing that is not there', containers(a), { hostname: null }, containers(a)],
  [
    'merges maps',
    { nodeSelector: { a: '1' } },
    { nodeSelector: { b: '2' } },
    { nodeSelector: { a: '1', b: '2' } },
  ],
  [
    'removes a key of a map with null',
    { nodeSelector: { a: '1', b: '2' } },
    { nodeSelector: { a: null } },
    { nodeSelector: { b: '2' } },
  ],
  [
    'replaces a map',
    { nodeSelector: { a: '1' } },
    { nodeSelector: { $patch: 'replace', b: '2' } },
    { nodeSelector: { b: '2' } },
  ],
  [
    'empties a map',
    { nodeSelector: { a: '1' } },
    { nodeSelector: { $patch: 'delete' } },
    { nodeSelector: {} },
  ],
  [
    'replaces a struct',
    { securityContext: { runAsUser: 1 } },
    { securityContext: { $patch: 'replace', fsGroup: 2 } },
    { securityContext: { fsGroup: 2 } },
  ],
  [
    'merges structs',
    { securityContext: { runAsUser: 1 } },
    { securityContext: { fsGroup: 2 } },
    { securityContext: { runAsUser: 1, fsGroup: 2 } },
  ],
  [
    'gives a value of another type as it is',
    { nodeSelector: 'odd' },
    { nodeSelector: { a: '1' } },
    { nodeSelector: { a: '1' } },
  ],
  ['drops nulls in a new map', {}, { nodeSelector: { a: null, b: '2' } }, { nodeSelector: { b: '2' } }],
  [
    'keeps only $retainKeys of an item',
    { volumes: [{ name: 'v', emptyDir: {} }] },
    { volumes: [{ name: 'v', $retainKeys: ['name', 'configMap'], configMap: { name: 'c' } }] },
    { volumes: [{ name: 'v', configMap: { name: 'c' } }] },
  ],
  [
    'drops $retainKeys in new items',
    {},
    { volumes: [{ name: 'v', $retainKeys: ['name'] }] },
    { volumes: [{ name: 'v' }] },
  ],
]

const orders: readonly Row[] = [
  [
    'sets the order of items',
    containers(a, b),
    {
      '$setElementOrder/containers': [{ name: 'b' }, { name: 'a' }],
      containers: [{ name: 'b', image: 'x' }],
    },
    containers({ name: 'b', image: 'x' }, a),
  ],
  [
    'sets the order of a list the patch does not change',
    containers(a, b),
    { '$setElementOrder/containers': [{ name: 'b' }, { name: 'a' }] },
    containers(b, a),
  ],
  [
    'adds an item at the place of the order',
    containers(a, b),
    { '$setElementOrder/containers': [{ name: 'a' }, { name: 'c' }, { name: 'b' }], containers: [c] },
    containers(a, c, b),
  ],
  [
    'adds an item at the end when the order says so',
    containers(a),
    { '$setElementOrder/containers': [{ name: 'a' }, { name: 'b' }], containers: [b] },
    containers(a, b),
  ],
  [
    'puts items that only the server has before what they stood before',
    containers(a, c, b),
    { '$setElementOrder/containers': [{ name: 'b' }, { name: 'a' }] },
    containers(c, b, a),
  ],
  [
    'deletes an item the order leaves out',
    containers(a, b),
    { '$setElementOrder/containers': [{ name: 'b' }], containers: [{ name: 'a', $patch: 'delete' }] },
    containers(b),
  ],
  [
    'orders a new list',
    {},
    { '$setElementOrder/containers': [{ name: 'a' }, { name: 'b' }], containers: [a, b] },
    containers(a, b),
  ],
  [
    'ignores the order of a list that is not there',
    { hostname: 'h' },
    { '$setElementOrder/containers': [{ name: 'a' }] },
    { hostname: 'h' },
  ],
  [
    'orders lists inside items',
    env(X, Y),
    containers({ name: 'a', '$setElementOrder/env': [{ name: 'Y' }, { name: 'X' }] }),
    env(Y, X),
  ],
]

describe('strategicMergePatch', () => {
  test.each([...lists, ...maps, ...orders])('%s', (_, original, patch, expected) =>
    expect(strategic(original, patch)).toEqual(expected),
  )

  test.each<Row>([
    [
      'adds finalizers before the ones of the server',
      { finalizers: ['a', 'b'] },
      { finalizers: ['c'] },
      { finalizers: ['c', 'a', 'b'] },
    ],
    [
      'adds no finalizer twice',
      { finalizers: ['a', 'b'] },
      { finalizers: ['b', 'b'] },
      { finalizers: ['a', 'b'] },
    ],
    [
      'deletes from a list of scalars',
      { finalizers: ['a', 'b'] },
      { '$deleteFromPrimitiveList/finalizers': ['a'] },
      { finalizers: ['b'] },
    ],
    [
      'adds and deletes scalars at once',
      { finalizers: ['a', 'b'] },
      { finalizers: ['c'], '$deleteFromPrimitiveList/finalizers': ['a'] },
      { finalizers: ['c', 'b'] },
    ],
    ['deletes from no list', { name: 'x' }, { '$deleteFromPrimitiveList/finalizers': ['a'] }, { name: 'x' }],
    [
      'orders scalars',
      { finalizers: ['a', 'b'] },
      { '$setElementOrder/finalizers': ['b', 'c', 'a'], finalizers: ['c'] },
      { finalizers: ['b', 'c', 'a'] },
    ],
    [
      'merges owner references by uid',
      { ownerReferences: [{ uid: '1', name: 'x' }] },
      { ownerReferences: [{ uid: '1', controller: true }] },
      { ownerReferences: [{ uid: '1', name: 'x', controller: true }] },
    ],
    [
      'sets a label and removes another',
      { labels: { a: '1', b: '2' } },
      { labels: { a: null, c: '3' } },
      { labels: { b: '2', c: '3' } },
    ],
  ])('%s', (_, metadata, patch, expected) =>
    expect(strategicMergePatch(deepFreeze({ metadata }), { metadata: patch }, pod.schema)).toEqual({
      metadata: expected,
    }),
  )

  test('merges conditions by type', () => {
    const status = {
      conditions: [
        { type: 'A', status: 'True' },
        { type: 'B', status: 'True' },
      ],
    }
    const patch = { status: { conditions: [{ type: 'B', status: 'False' }] } }
    expect(strategicMergePatch(deepFreeze({ status }), patch, deployment.schema)).toEqual({
      status: {
        conditions: [
          { type: 'A', status: 'True' },
          { type: 'B', status: 'False' },
        ],
      },
    })
  })

  test('merges Service ports by port', () =>
    expect(
      strategic({ ports: [{ port: 80 }] }, { ports: [{ port: 80, name: 'http' }] }, service.schema),
    ).toEqual({
      ports: [{ port: 80, name: 'http' }],
    }))

  test('retains the keys of a rollout strategy', () =>
    expect(
      strategic(
        { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } } },
        { strategy: { $retainKeys: ['type'], type: 'Recreate' } },
        deployment.schema,
      ),
    ).toEqual({ strategy: { type: 'Recreate' } }))

  test('replaces and deletes the whole object', () => {
    const original = deepFreeze({ metadata: { name: 'x' }, spec: { hostname: 'h' } })
    expect(strategicMergePatch(original, { $patch: 'replace', kind: 'Pod' }, pod.schema)).toEqual({
      kind: 'Pod',
    })
    expect(strategicMergePatch(original, { $patch: 'delete' }, pod.schema)).toEqual({})
  })

  test.each([
    [
      'an unknown $patch in a map',
      { nodeSelector: { $patch: 'bogus' } },
      'Unknown patch type found: "bogus" in map',
    ],
    [
      'an unknown $patch in a list',
      containers({ name: 'a', $patch: 'bogus' }),
      'Unknown patch type found: "bogus" in list',
    ],
    ['an unknown directive', { $bogus: 1 }, 'Unknown directive "$bogus"'],
    [
      'an item without its merge key',
      containers({ image: 'secret' }),
      'map with the fields [image] does not contain declared merge key: name',
    ],
    [
      'to delete an item without its merge key',
      containers({ $patch: 'delete' }),
      'does not contain declared merge key: name',
    ],
    [
      'an order that misses an item of the patch',
      { '$setElementOrder/containers': [{ name: 'z' }], containers: [{ name: 'a' }] },
      "The order in patch list doesn't match",
    ],
    [
      'a patch in another order than it asks for',
      { '$setElementOrder/containers': [{ name: 'a' }, { name: 'b' }], containers: [b, a] },
      "The order in patch list doesn't match",
    ],
    [
      'an order that is no list',
      { '$setElementOrder/containers': 1 },
      'invalid patch format of setElementOrder list',
    ],
    [
      '$retainKeys that is no list',
      { nodeSelector: { $retainKeys: 1 } },
      'invalid patch format of retainKeys',
    ],
    [
      '$retainKeys that misses a field of the patch',
      { nodeSelector: { $retainKeys: ['a'], b: '1' } },
      'invalid patch format of retainKeys',
    ],
    [
      'a list of scalars for a list of objects',
      { containers: ['a'] },
      'invalid patch format of a list to merge',
    ],
    ['lists of lists', { containers: [[a]] }, 'lists of lists are not supported'],
    [
      'values to delete that are no list',
      { '$deleteFromPrimitiveList/x': 1 },
      'invalid patch format of primitive list',
    ],
  ])('refuses %s', (_, patch, message) =>
    expect(() => strategic({ containers: [{ name: 'a' }], nodeSelector: {} }, patch)).toThrow(message),
  )

  test('keeps keys named like prototypes as plain data', () => {
    const patch = JSON.parse('{"metadata":{"labels":{"__proto__":"x","constructor":"y"}}}')
    const merged = strategicMergePatch({ metadata: { labels: { a: '1' } } }, patch, pod.schema)
    expect(JSON.stringify(merged)).toBe('{"metadata":{"labels":{"a":"1","__proto__":"x","constructor":"y"}}}')
    expect(Object.hasOwn(Object.prototype, 'x')).toBe(false)
  })
})
