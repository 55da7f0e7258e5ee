import { describe, expect, test } from 'vitest'
import { make } from '../../test/support/make.ts'
import type { V1ResourceRequirements } from './generated/types.ts'
import { ephemeralContainersDoor, resizeDoor } from './pod-subresources.ts'

const look = { name: 'look', image: 'busybox' }
const sized = (resources: V1ResourceRequirements, fields: object = {}) =>
  make.pod({ spec: { containers: [{ name: 'app', image: 'x', resources, ...fields }] } })
const says = (causes: readonly { field?: string; message: string }[] | undefined) =>
  (causes ?? []).map(({ field, message }) => `${field}: ${message}`)

describe('pods/ephemeralcontainers', () => {
  const withLook = make.pod({ spec: { ephemeralContainers: [look] } })

  test('takes over ephemeral containers and nothing else, with their defaults', () => {
    const sent = make.pod({ spec: { nodeName: 'elsewhere', ephemeralContainers: [look] } })
    const merged = ephemeralContainersDoor.merge?.(make.pod({}), sent, 0)
    expect(merged.spec.nodeName).toBeUndefined()
    expect(merged.spec.ephemeralContainers[0]).toMatchObject({ ...look, imagePullPolicy: 'Always' })
  })

  test.each([
    ['removed', [], 'existing ephemeral containers "look" may not be removed\n'],
    ['changed', [{ ...look, image: 'other' }], 'existing ephemeral containers "look" may not be changed\n'],
  ])('refuses one that is %s', (_, ephemeralContainers, message) => {
    const now = make.pod({ spec: { ephemeralContainers } })
    expect(says(ephemeralContainersDoor.validateUpdate?.(now, withLook))).toEqual([
      `spec.ephemeralContainers: Forbidden: ${message}`,
    ])
  })

  test('allows one more', () => {
    const now = make.pod({ spec: { ephemeralContainers: [look, { name: 'more', image: 'busybox' }] } })
    expect(ephemeralContainersDoor.validateUpdate?.(now, withLook)).toEqual([])
  })
})

describe('pods/resize', () => {
  const before = sized({ requests: { cpu: '100m', memory: '64Mi' }, limits: { memory: '128Mi' } })

  test.each<[string, ReturnType<typeof sized>, string[]]>([
    ['other amounts', sized({ requests: { cpu: '200m', memory: '32Mi' }, limits: { memory: '64Mi' } }), []],
    [
      'another image',
      sized({ requests: { cpu: '100m', memory: '64Mi' }, limits: { memory: '128Mi' } }, { image: 'y' }),
      ['spec: Forbidden: only cpu and memory resources are mutable'],
    ],
    [
      'a limit that is gone',
      sized({ requests: { cpu: '100m', memory: '64Mi' } }),
      ['spec.containers[0].resources.limits: Forbidden: resource limits cannot be removed'],
    ],
    [
      'another QoS class',
      sized({ requests: { cpu: '1', memory: '1Gi' }, limits: { cpu: '1', memory: '1Gi' } }),
      ['spec: Invalid value: "Guaranteed": Pod QOS Class may not change as a result of resizing'],
    ],
  ])('judges %s', (_, now, wrong) => {
    expect(says(resizeDoor.validateUpdate?.(now, before))).toEqual(wrong)
  })
})
