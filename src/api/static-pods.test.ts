import { describe, expect, test } from 'vitest'
import type { Pod } from './pods.ts'
import { isCriticalPod, nodeUidOf, validateMirror } from './static-pods.ts'

const MIRROR = 'kubernetes.io/config.mirror'
const pod = (annotations: Record<string, string>, spec: Partial<Pod['spec']> = { nodeName: 'n' }): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', uid: 'u-1', annotations },
  spec: { containers: [{ name: 'app', image: 'x' }], ...spec },
})
const path = `metadata.annotations[${MIRROR}]: `

describe('A mirror pod', () => {
  test.each<[string, Pod, Pod | undefined, readonly string[]]>([
    ['on a node is good', pod({ [MIRROR]: 'h' }), undefined, []],
    [
      'without a node is not',
      pod({ [MIRROR]: 'h' }, {}),
      undefined,
      [`${path}Invalid value: "h": must set spec.nodeName if mirror pod annotation is set`],
    ],
    ['stays one', pod({ [MIRROR]: 'h' }), pod({ [MIRROR]: 'h' }), []],
    [
      'does not stop being one',
      pod({}),
      pod({ [MIRROR]: 'h' }),
      [`${path}Forbidden: may not remove or update mirror pod annotation`],
    ],
    [
      'does not become that of another',
      pod({ [MIRROR]: 'g' }),
      pod({ [MIRROR]: 'h' }),
      [`${path}Forbidden: may not remove or update mirror pod annotation`],
    ],
    [
      'is not what another pod becomes',
      pod({ [MIRROR]: 'h' }),
      pod({}),
      [`${path}Forbidden: may not add mirror pod annotation`],
    ],
  ])('%s', (_, one, old, faults) => {
    expect(validateMirror(one, old).map(({ field, message }) => `${field}: ${message}`)).toEqual(faults)
  })

  test('is known to its node by the hash of what it shows', () => {
    expect(nodeUidOf(pod({ [MIRROR]: 'h' }))).toBe('h')
    expect(nodeUidOf(pod({}))).toBe('u-1')
  })

  test.each<[string, Pod, boolean]>([
    ['a mirror', pod({ [MIRROR]: 'h' }), true],
    ['a static pod', pod({ 'kubernetes.io/config.source': 'file' }), true],
    ['a pod of the API', pod({ 'kubernetes.io/config.source': 'api' }), false],
    ['a plain pod', pod({}), false],
    ['an important pod', pod({}, { priority: 1_000_000_000 }), false],
    ['a system pod', pod({}, { priority: 2_000_000_000 }), true],
  ])('counts as critical as %s does', (_, one, expected) => {
    expect(isCriticalPod(one)).toBe(expected)
  })
})
