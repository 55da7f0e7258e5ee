import { afterEach, beforeEach, expect, test } from 'vitest'
import { createTestCluster, type TestCluster } from '../../../test/support/cluster.ts'
import { make } from '../../../test/support/make.ts'
import type { V1Taint } from '../../api/generated/types.ts'
import { node } from '../../api/kinds/node.ts'
import { admissionChain } from './index.ts'

let cluster: TestCluster
beforeEach(async () => {
  cluster = await createTestCluster({ admission: admissionChain({ nodeTaints: true }) })
})
afterEach(() => cluster.close())

const waits = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }
const own = { key: 'dedicated', effect: 'NoExecute' }

test.each<[string, readonly V1Taint[] | undefined, readonly V1Taint[]]>([
  ['no taint', undefined, [waits]],
  ['a taint of its own', [own], [own, waits]],
  ['the taint already', [waits, own], [waits, own]],
])('A new node with %s waits until it is ready', async (_, taints, expected) => {
  const made = await cluster.client.create(node, make.node({ spec: taints ? { taints } : {} }))
  expect(made.spec.taints).toEqual(expected)
})

test('A node that takes the taint off keeps it off', async () => {
  const made = await cluster.client.create(node, make.node())
  const free = await cluster.client.update(node, { ...made, spec: { ...made.spec, taints: [] } })
  expect(free.spec.taints ?? []).toEqual([])
})
