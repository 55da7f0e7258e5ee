import { describe, expect, test } from 'vitest'
import { startSimulatedNodes } from '../../../test/support/simulated-nodes.ts'
import { findCondition } from '../../api/conditions.ts'
import type { Pod } from '../../api/kinds/pod.ts'
import { podReason } from '../../api/pod-columns.ts'

const setup = { name: 'setup', image: 'setup' }
const worker = { name: 'worker', image: 'worker' }
const watcher = {
  name: 'watcher',
  image: 'watcher',
  restartPolicy: 'Always',
  restartPolicyRules: [{ action: 'RestartAllContainers', exitCodes: { operator: 'In', values: [88] } }],
}
const spec = { restartPolicy: 'Never', initContainers: [setup, watcher], containers: [worker] }

const restarting = ({ status }: Pod) => {
  const found = findCondition(status?.conditions, 'AllContainersRestarting')
  return found ? `${found.status}${found.reason ? `/${found.reason}` : ''}` : ''
}
const counts = ({ status }: Pod) =>
  [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])]
    .map(({ name, restartCount }) => `${name}=${restartCount}`)
    .join(' ')

async function started() {
  const cluster = await startSimulatedNodes()
  await cluster.declare('watcher', { images: ['watcher'], exit: { code: 88, after: '30s' } })
  await cluster.declare('worker', { images: ['worker'], exit: { code: 0, after: '1h' } })
  await cluster.run(spec)
  return cluster
}

describe('A container whose end starts all of its pod anew', () => {
  test('has the others killed and init containers run again, in the same pod with the same address', async () => {
    const cluster = await started()
    const timeline = cluster.timeline((pod) =>
      `${podReason(pod)} ${pod.status?.phase} ${counts(pod)} ${restarting(pod)}`.trim(),
    )
    await cluster.clock.run(30_000)
    const before = await cluster.pod()
    await cluster.clock.run(15_000)
    const after = await cluster.pod()
    expect(timeline.slice(-6)).toEqual([
      '34s Error Running setup=0 watcher=0 worker=0 True/RestartAllContainersStarted',
      '34s Init:0/2 Pending setup=0 watcher=0 worker=0 False',
      '34.5s Init:0/2 Pending setup=1 watcher=0 worker=0 False',
      '35.5s Init:1/2 Pending setup=1 watcher=0 worker=0 False',
      '36s PodInitializing Pending setup=1 watcher=1 worker=0 False',
      '36.5s Running Running setup=1 watcher=1 worker=1 False',
    ])
    expect(after.metadata.uid).toBe(before.metadata.uid)
    expect(after.status?.podIP).toBe(before.status?.podIP)
    const worker = after.status?.containerStatuses?.[0]
    expect(worker?.lastState?.terminated).toMatchObject({ exitCode: 137, reason: 'Error' })
    await cluster.stop()
  })

  test('goes on with that where it was when the control plane starts again', async () => {
    const cluster = await started()
    await cluster.clock.run(34_800)
    expect(counts(await cluster.pod())).toBe('setup=1 watcher=0 worker=0')
    await cluster.restartNodes()
    await cluster.clock.run(5000)
    expect(counts(await cluster.pod())).toBe('setup=1 watcher=1 worker=1')
    expect((await cluster.pod()).status?.phase).toBe('Running')
    await cluster.stop()
  })
})
