import { expect, test } from 'vitest'
import type { Pod } from '../api/kinds/pod.ts'
import { ByLabel, labelsOfAll } from './by-label.ts'
import { PlacedSorts } from './placed-sorts.ts'
import { podInfo } from './pod-info.ts'

const pod = (labels: Record<string, string>) =>
  podInfo({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', namespace: 'default', labels },
    spec: { containers: [] },
  } as unknown as Pod)

test('Placed sorts are found by the rarest of their labels, and gone with their last pod', () => {
  const placed = new PlacedSorts()
  const web = pod({ app: 'web', tier: 'front' })
  const shop = pod({ app: 'shop', tier: 'front' })
  placed.change(1, web, 1)
  placed.change(1, web, 1)
  placed.change(2, web, 1)
  placed.change(2, shop, 1)
  const found = (...labels: string[]) =>
    [...placed.with(labels)].map((sort) => [sort.pod.pod.metadata.labels?.['app'], [...sort.slots]])
  expect(found('tier=front', 'app=web')).toEqual([
    [
      'web',
      [
        [1, 2],
        [2, 1],
      ],
    ],
  ])
  expect(found().length).toBe(2)
  expect(found('app=none')).toEqual([])
  placed.change(1, web, -1)
  placed.change(1, web, -1)
  placed.change(2, web, -1)
  expect(found('app=web')).toEqual([])
  expect(found('tier=front')).toEqual([['shop', [[2, 1]]]])
})

test('Selectors are asked about a pod that has their label, and those without one about every pod', () => {
  const filed = new ByLabel<string>()
  const selector = { matchLabels: { app: 'web' }, matchExpressions: [{ key: 'tier', operator: 'Exists' }] }
  expect(labelsOfAll(selector)).toEqual(['app=web'])
  expect(labelsOfAll({ matchExpressions: [{ key: 'app', operator: 'In', values: ['a', 'b'] }] })).toEqual([])
  expect(labelsOfAll({ matchExpressions: [{ key: 'app', operator: 'In', values: ['a'] }] })).toEqual([
    'app=a',
  ])
  filed.file('web', labelsOfAll(selector))
  filed.file('any', labelsOfAll(undefined))
  expect(filed.about({ app: 'web', tier: 'x' })).toEqual(['any', 'web'])
  expect(filed.about({ app: 'shop' })).toEqual(['any'])
  filed.unfile('web', ['app=web'])
  expect(filed.about({ app: 'web' })).toEqual(['any'])
})
