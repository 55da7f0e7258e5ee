import fc from 'fast-check'
import jsonpatch from 'fast-json-patch'
import { describe, expect, test } from 'vitest'
import { strategicDiff } from '../../../test/support/strategic-diff.ts'
import { pod } from '../../api/kinds/pod.ts'
import { deepEqual, deepFreeze, isObject, type JsonObject } from '../../base/json.ts'
import { jsonPatch } from './json-patch.ts'
import { mergePatch } from './merge-patch.ts'
import { strategicMergePatch } from './strategic-merge-patch.ts'

/** patch(a, diff(a, b)) = b, for every kind of patch. */
const name = fc.constantFrom('a', 'b', 'c', 'd')
const text = fc.constantFrom('x', 'y', '')
const unique = <T extends object>(item: fc.Arbitrary<T>, key: keyof T) =>
  fc.uniqueArray(item, { selector: (each) => each[key], maxLength: 4 })
const optional = { requiredKeys: [] }
const environment = fc.record({ name, value: text }, { requiredKeys: ['name'] })
const container = fc.record(
  {
    name,
    image: text,
    args: fc.array(text, { maxLength: 3 }),
    env: unique(environment, 'name'),
    ports: unique(
      fc.record({ containerPort: fc.nat(3), name: text }, { requiredKeys: ['containerPort'] }),
      'containerPort',
    ),
    resources: fc.record({ limits: fc.dictionary(name, text) }, optional),
  },
  { requiredKeys: ['name'] },
)
const anyPod = fc.record(
  {
    metadata: fc.record(
      { labels: fc.dictionary(name, text), annotations: fc.dictionary(name, text) },
      optional,
    ),
    spec: fc.record(
      {
        hostname: text,
        nodeSelector: fc.dictionary(name, text),
        containers: unique(container, 'name'),
        tolerations: fc.array(fc.record({ key: name, operator: text }, optional), { maxLength: 3 }),
        imagePullSecrets: unique(fc.record({ name }), 'name'),
        securityContext: fc.record(
          { runAsUser: fc.nat(3), supplementalGroups: fc.array(fc.nat(3)) },
          optional,
        ),
      },
      optional,
    ),
  },
  optional,
)
const { any } = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<unknown>('x', 1, true, ''),
    fc.dictionary(fc.constantFrom('a', 'b', '__proto__'), tie('any'), { maxKeys: 3 }),
    fc.array(tie('any'), { maxLength: 3 }),
  ),
}))

function mergeDiff(before: unknown, after: unknown): unknown {
  if (!isObject(before) || !isObject(after)) return after
  const patch: Record<string, unknown> = {}
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (!Object.hasOwn(after, key)) patch[key] = null
    else if (!Object.hasOwn(before, key)) patch[key] = after[key]
    else if (!deepEqual(before[key], after[key])) patch[key] = mergeDiff(before[key], after[key])
  }
  return patch
}

const plain = any.filter((value) => !JSON.stringify(value).includes('__proto__'))

describe('The difference of two objects, as a patch on the first, makes the second', () => {
  test('as a strategic merge patch', () =>
    fc.assert(
      fc.property(anyPod, anyPod, (before, after) => {
        const patch = strategicDiff(before as JsonObject, after as JsonObject, pod.schema)
        const patched = strategicMergePatch(deepFreeze(before), deepFreeze(patch), pod.schema)
        expect(patched).toEqual(after)
        // And twice is once.
        expect(strategicMergePatch(patched, deepFreeze(patch), pod.schema)).toEqual(after)
      }),
      { numRuns: 2000 },
    ))

  test('as a merge patch', () =>
    fc.assert(
      fc.property(plain, plain, (before, after) => {
        const patch = mergeDiff(before, after)
        expect(mergePatch(deepFreeze(before), deepFreeze(patch))).toEqual(after)
      }),
      { numRuns: 2000 },
    ))

  test('as a JSON patch', () =>
    fc.assert(
      fc.property(plain, plain, (before, after) => {
        const patch = jsonpatch.compare({ root: before }, { root: after })
        expect(jsonPatch(deepFreeze({ root: before }), patch)).toEqual({ root: after })
      }),
      { numRuns: 2000 },
    ))
})
