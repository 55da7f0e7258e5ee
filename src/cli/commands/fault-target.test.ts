import { expect, test } from 'vitest'
import { make } from '../../../test/support/make.ts'
import { faultOf } from './fault.ts'
import { isEverywhere, whyOnNothing } from './fault-target.ts'

const options = { for: '1m', namespace: 'shop' }
const nodes = ['a', 'b'].map((name) =>
  make.node({ metadata: { name, labels: { 'topology.kubernetes.io/zone': 'east' } } }),
)
const pods = [
  make.pod({
    metadata: { name: 'web-1', namespace: 'shop', labels: { app: 'web' } },
    spec: { containers: [{ name: 'app', image: 'web:1' }] } as never,
  }),
]
const why = (word: string, targets: readonly string[], more: object = {}) =>
  whyOnNothing(faultOf(word, targets, { ...options, ...more }), nodes, pods)

test.each<[string, readonly string[], object, string | undefined]>([
  ['kill-node', ['a'], {}, undefined],
  ['kill-node', ['a', 'c'], {}, 'No node "c": there are a, b'],
  ['drain-node', [], { zone: 'east' }, undefined],
  ['drain-node', [], { zone: 'west' }, 'No node in zone "west": there are east'],
  ['crash-container', ['pod/web-1'], {}, undefined],
  ['crash-container', ['web'], {}, 'No pod "web" in namespace "shop" (-n gives another): there are web-1'],
  ['crash-container', ['web-1'], { container: 'db' }, 'No container "db": there are app'],
  ['flap-probe', [], { selector: 'app=web' }, undefined],
  [
    'flap-probe',
    [],
    { selector: 'app=db' },
    'No pod in namespace "shop" (-n gives another) with app=db: there are web-1',
  ],
  ['flap-probe', [], { image: 'web:2' }, 'No container of image "web:2": there are web:1'],
  // Of an image that nobody pulls yet.
  ['fail-pull', ['web:2'], {}, undefined],
])('The fault %s %j %j falls on something, or says what there is', (word, targets, more, message) => {
  expect(why(word, targets, more)).toBe(message)
})

test.each<[string, readonly string[], object, boolean]>([
  ['kill-node', [], {}, true],
  ['kill-node', ['a'], {}, false],
  ['fail-pull', [], {}, true],
  ['fail-pull', ['web:2'], {}, false],
  ['flap-probe', [], { selector: 'app=web' }, false],
])('Whether %s %j %j is everywhere: %s', (word, targets, more, expected) => {
  expect(isEverywhere(faultOf(word, targets, { ...options, ...more }))).toBe(expected)
})
