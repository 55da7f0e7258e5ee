import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { node, type SimulatedNodes, startSimulatedNodes } from '../../../test/support/simulated-nodes.ts'
import { fault } from '../../api/kinds/fault.ts'
import { pod as podKind } from '../../api/kinds/pod.ts'

const app = { name: 'app', image: 'registry.example/app:1' }
const mounted = {
  ...app,
  volumeMounts: [
    { name: 'disk', mountPath: '/disk' },
    { name: 'memory', mountPath: '/memory' },
  ],
}
const volumes = [
  { name: 'disk', emptyDir: {} },
  { name: 'memory', emptyDir: { medium: 'Memory', sizeLimit: '1Ki' } },
]
const key = { namespace: 'default', name: 'web' }
const write = (path: string, text = 'hello') => ['sh', '-c', `echo ${text} > ${path}`]

let folder: string
let cluster: SimulatedNodes
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'files-'))
  cluster = await startSimulatedNodes([node()], folder)
  await cluster.run({ containers: [mounted], volumes })
  await cluster.clock.run(5000)
  for (const path of ['/disk/a', '/memory/b', '/tmp/c']) await cluster.exec(write(path))
})
afterEach(async () => {
  await cluster.stop()
  await rm(folder, { recursive: true })
})

const found = () => cluster.exec(['ls', '/disk', '/memory', '/tmp'])
const restarts = async () => (await cluster.pod()).status?.containerStatuses?.[0]?.restartCount

describe('What a container has written', () => {
  test('stays over a restart of the process: its volumes and, as it goes on running, its own files', async () => {
    const before = await cluster.pod()
    await cluster.restartNodes()
    expect(await cluster.pod()).toEqual(before)
    expect(await cluster.exec(['cat', '/disk/a', '/memory/b', '/tmp/c'])).toBe('hello\nhello\nhello\n')
    await cluster.exec(write('/disk/d'))
    await cluster.restartNodes()
    expect(await cluster.exec(['ls', '/disk'])).toBe('a\nd\n')
  })

  test('stays in its volumes when it starts anew, and is gone beside them', async () => {
    await cluster.client.create(fault, {
      apiVersion: 'seamark.dev/v1alpha1',
      kind: 'Fault',
      metadata: { name: 'crash' },
      spec: { action: 'CrashContainer' },
    })
    await cluster.clock.run(5000)
    expect(await restarts()).toBe(1)
    expect(await found()).toBe('a\nb\n')
  })

  test('is gone from memory when its node was off, and stays on its disk', async () => {
    await cluster.client.create(fault, {
      apiVersion: 'seamark.dev/v1alpha1',
      kind: 'Fault',
      metadata: { name: 'kill' },
      spec: { action: 'KillNode', duration: '5s' },
    })
    await cluster.clock.run(20_000)
    expect(await restarts()).toBe(1)
    expect(await found()).toBe('a\n')
  })

  test('is gone with its pod, also for one of the same name', async () => {
    await cluster.client.delete(podKind, key)
    await cluster.clock.run(2000)
    await cluster.run({ containers: [mounted], volumes })
    await cluster.clock.run(5000)
    expect(await found()).toBe('')
  })

  test('has no room in a volume in memory beyond its size', async () => {
    const long = 'x'.repeat(600)
    expect(await cluster.exec(write('/memory/d', long))).toBe('')
    expect(await cluster.exec(write('/memory/e', long))).toMatch('No space left on device')
    expect(await cluster.exec(write('/disk/e', long))).toBe('')
  })
})
