import { describe, expect, test } from 'vitest'
import { make } from '../../../test/support/make.ts'
import type { StaticPodManifest } from '../../api/static-pods.ts'
import { mirrorOf, staticPodOf } from './static-pod.ts'

const SEEN = Date.parse('2030-01-01T00:00:00Z')
const manifest: StaticPodManifest = {
  metadata: { name: 'proxy', labels: { app: 'proxy' }, annotations: { note: 'kept' } },
  spec: { containers: [{ name: 'app', image: 'proxy:1' }] },
}

describe('A static pod', () => {
  test('is named after its node, bound to it, and tolerates its troubles', () => {
    const { metadata, spec } = staticPodOf(manifest, 'Node-A', SEEN)
    expect(metadata).toEqual({
      name: 'proxy-node-a',
      namespace: 'default',
      uid: expect.stringMatching(/^[0-9a-f]{32}$/),
      labels: { app: 'proxy' },
      annotations: {
        note: 'kept',
        'kubernetes.io/config.hash': metadata.uid,
        'kubernetes.io/config.seen': '2030-01-01T00:00:00Z',
        'kubernetes.io/config.source': 'file',
      },
    })
    expect(spec).toMatchObject({
      nodeName: 'Node-A',
      restartPolicy: 'Always',
      tolerations: [{ operator: 'Exists', effect: 'NoExecute' }],
    })
  })

  const hash = (change: Partial<StaticPodManifest>, node = 'a', at = SEEN) =>
    staticPodOf({ ...manifest, ...change }, node, at).metadata.uid
  test.each([
    ['the same manifest, seen later', hash({}, 'a', SEEN + 1000), true],
    ['another image', hash({ spec: { containers: [{ name: 'app', image: 'proxy:2' }] } }), false],
    ['another label', hash({ metadata: { name: 'proxy' } }), false],
    ['another node', hash({}, 'b'), false],
  ])('of %s is the same pod or another', (_, other, isSame) => {
    expect(other === hash({})).toBe(isSame)
  })

  test('of a system class has its priority where nobody admits it', () => {
    const spec = { ...manifest.spec, priorityClassName: 'system-node-critical' }
    expect(staticPodOf({ ...manifest, spec } as StaticPodManifest, 'a', SEEN).spec.priority).toBe(
      2_000_001_000,
    )
  })

  test('is mirrored with its hash, owned by its node, and without its uid', () => {
    const pod = staticPodOf(manifest, 'a', SEEN)
    const { metadata, spec } = mirrorOf(pod, make.node({ metadata: { name: 'a', uid: 'n-1' } }))
    expect(metadata.uid).toBeUndefined()
    expect(metadata.annotations?.['kubernetes.io/config.mirror']).toBe(pod.metadata.uid)
    expect(metadata.ownerReferences).toEqual([
      { apiVersion: 'v1', kind: 'Node', name: 'a', uid: 'n-1', controller: true },
    ])
    expect(spec).toBe(pod.spec)
  })
})
