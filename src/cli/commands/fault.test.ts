import { describe, expect, test } from 'vitest'
import { fault as faultKind } from '../../api/kinds/fault.ts'
import { faultOf } from './fault.ts'

const options = { for: '5m', namespace: 'shop' }

describe('seamark fault', () => {
  test.each([
    ['kill-node', ['a', 'b'], options, { action: 'KillNode', target: { nodes: ['a', 'b'] } }],
    ['drain-node', [], { ...options, zone: 'z1' }, { action: 'DrainNode', target: { zone: 'z1' } }],
    [
      'crash-container',
      ['pod/web'],
      { ...options, container: 'app' },
      { action: 'CrashContainer', target: { namespace: 'shop', pod: 'web', container: 'app' } },
    ],
    [
      'flap-probe',
      [],
      { ...options, selector: 'app=web,tier=front' },
      { action: 'FlapProbe', target: { namespace: 'shop', podLabels: { app: 'web', tier: 'front' } } },
    ],
    ['fail-pull', [], { ...options, image: 'x:1' }, { action: 'FailPull', target: { image: 'x:1' } }],
    ['fail-pull', ['x:1'], options, { action: 'FailPull', target: { image: 'x:1' } }],
  ])('%s makes an object that is valid', (word, targets, given, spec) => {
    const made = faultOf(word, targets, given)
    expect(made.spec).toEqual({ ...spec, duration: '5m' })
    expect(faultKind.validate(faultKind.setDefaults(made))).toEqual([])
  })

  test.each([
    ['explode', [], options, 'Unknown fault "explode": give one of kill-node, shutdown-node, partition-node'],
    ['crash-container', ['a', 'b'], options, 'Too many pods: "b"'],
    ['flap-probe', [], { ...options, selector: 'app' }, 'Cannot read the selector "app"'],
  ])('refuses %s %j', (word, targets, given, message) => {
    expect(() => faultOf(word, targets, given)).toThrow(message)
  })
})
