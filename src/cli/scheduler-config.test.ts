import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readSchedulerConfig } from './scheduler-config.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'seamark-scheduler-config-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const HEAD = 'apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n'

/** The faults with the folder left out, or the configuration. */
function read(text: string): unknown {
  const file = join(folder, 'scheduler.yaml')
  writeFileSync(file, text)
  try {
    return readSchedulerConfig(file)
  } catch (error) {
    return (error as Error).message.replaceAll(`${folder}/`, '')
  }
}

describe('A scheduler configuration', () => {
  test('is read with what means nothing here passed over', () => {
    expect(
      read(`${HEAD}leaderElection: { leaderElect: false }\nparallelism: 16\npercentageOfNodesToScore: 40\n`),
    ).toMatchObject({ percentageOfNodesToScore: 40 })
  })

  const cases: readonly [string, string, string][] = [
    ['an unknown field', 'profile: []\n', 'scheduler.yaml:3:10: profile: there is no field "profile"'],
    [
      'another kind',
      'kind: Deployment\n',
      'scheduler.yaml:2:7: kind: Unsupported value: "Deployment": supported values: "KubeSchedulerConfiguration"',
    ],
    [
      'a number out of bounds',
      'percentageOfNodesToScore: 101\n',
      'scheduler.yaml:3:27: percentageOfNodesToScore: Invalid value: 101: should be less than or equal to 100',
    ],
    [
      'two profiles of one name',
      'profiles:\n- schedulerName: a\n- schedulerName: a\n',
      'scheduler.yaml:5:18: profiles[1].schedulerName: Duplicate value: "a"',
    ],
    [
      'the weight of hard affinity out of bounds',
      'profiles:\n- pluginConfig:\n  - name: InterPodAffinity\n    args: { hardPodAffinityWeight: 101 }\n',
      'scheduler.yaml:6:36: profiles[0].pluginConfig[0].args.hardPodAffinityWeight: Invalid value: 101: should be less than or equal to 100',
    ],
    [
      'default constraints without defaultingType List',
      'profiles:\n- pluginConfig:\n  - name: PodTopologySpread\n    args:\n      defaultConstraints: [{ maxSkew: 1, topologyKey: zone, whenUnsatisfiable: ScheduleAnyway }]\n',
      'scheduler.yaml:7:7: profiles[0].pluginConfig[0].args.defaultingType: Invalid value: "System": when .defaultConstraints are specified, it must be "List"',
    ],
    [
      'a shape that goes back',
      'profiles:\n- pluginConfig:\n  - name: NodeResourcesFit\n    args:\n      scoringStrategy:\n        type: RequestedToCapacityRatio\n        requestedToCapacityRatio:\n          shape: [{ utilization: 50, score: 1 }, { utilization: 20, score: 2 }]\n',
      'scheduler.yaml:10:65: profiles[0].pluginConfig[0].args.scoringStrategy.requestedToCapacityRatio.shape[1].utilization: Invalid value: 20: utilization values must be sorted in increasing order',
    ],
    [
      'arguments for a plugin that takes none',
      'profiles:\n- pluginConfig:\n  - name: NodeName\n    args: { x: 1 }\n',
      'scheduler.yaml:6:16: profiles[0].pluginConfig[0].args.x: Forbidden: NodeName takes no arguments',
    ],
    ['broken YAML', 'profiles: [\n', 'scheduler.yaml:4:1: '],
  ]
  test.each(cases)('with %s is refused, with its place', (_, text, expected) => {
    const all = text.startsWith('kind')
      ? HEAD.replace('kind: KubeSchedulerConfiguration\n', text)
      : HEAD + text
    expect(read(all)).toEqual(expect.stringContaining(expected))
  })

  test('that names a plugin there is not says which there are', () => {
    const text = `${HEAD}profiles:\n- plugins:\n    score:\n      disabled: [{ name: Imagelocality }]\n`
    expect(read(text)).toMatch(
      /^scheduler.yaml:6:26: profiles\[0\].plugins.score.disabled\[0\].name: Unsupported value: "Imagelocality": supported values: .*"ImageLocality"/,
    )
  })
})
