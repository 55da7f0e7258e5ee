import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type SimulatedNodes, startSimulatedNodes } from '../../../test/support/simulated-nodes.ts'
import { findCondition } from '../../api/conditions.ts'
import type { V1Container } from '../../api/generated/types.ts'
import { Behaviours } from './behaviour.ts'
import { ownCommand } from './own-command.ts'

let cluster: SimulatedNodes
beforeEach(async () => {
  cluster = await startSimulatedNodes()
})
afterEach(() => cluster.stop())

const sh = (script: string): Partial<V1Container> => ({ command: ['sh', '-c', script] })
const shown = async (name = 'web') => {
  const [state] = (await cluster.pod(name)).status?.containerStatuses ?? []
  const { reason, exitCode } = state?.state?.terminated ?? {}
  return state?.state?.running ? 'running' : `${reason} ${exitCode}`
}

describe('Whether a container runs what its spec says', () => {
  test.each<[string, Partial<V1Container>, boolean]>([
    ['a command that the shell has', { args: ['echo', 'hello'] }, true],
    ['by its path', { command: ['/bin/sleep'], args: ['5'] }, true],
    ['a script of such', sh('echo a; mkdir -p /x && touch /x/y || exit 3'), true],
    ['one in another', sh('A=1 exec sh -c "echo hi"'), true],
    ['a substitution of what is there', sh('echo "it is $(date)"'), true],
    ['a server', { command: ['nginx', '-g', 'daemon off;'] }, false],
    ['a script with a server', sh('echo starting; exec nginx'), false],
    ['a substitution of what is not there', sh('echo $(curl -s http://x)'), false],
    ['what a variable names', sh('$START now'), false],
    ['a loop', sh('while true; do sleep 1; done'), false],
    ['an interactive shell', { command: ['sh'], stdin: true }, false],
    ['what reads what is typed', { command: ['cat'], stdin: true }, false],
    ['nothing', {}, false],
  ])('%s: %j %s', (_, container, expected) => {
    const behaviour = new Behaviours(cluster.informers).of('x')
    expect(ownCommand({ name: 'app', ...container }, behaviour) !== undefined).toBe(expected)
  })
})

describe('A container that runs what its spec says', () => {
  const run = (container: Partial<V1Container>, more: object = {}) =>
    cluster.run({
      containers: [{ name: 'app', image: 'busybox', ...container }],
      restartPolicy: 'Never',
      ...more,
    })

  test.each<[string, Partial<V1Container>, number, string]>([
    ['ends when it is done', sh('echo hi'), 3, 'Completed 0'],
    ['takes its time', sh('sleep 60; echo hi'), 30, 'running'],
    ['and no more', sh('sleep 60; echo hi'), 70, 'Completed 0'],
    ['ends with the code it says', sh('echo no >&2; exit 3'), 3, 'Error 3'],
    ['ends as a plain false', { command: ['false'] }, 3, 'Error 1'],
    // The real image may have the file: nobody knows.
    ['is not held against a file it lacks', sh('cat /app/settings.json'), 10, 'Completed 0'],
    [
      'goes on where the shell knows no better',
      { command: ['sleep', 'infinity'], stdin: true },
      600,
      'running',
    ],
  ])('%s', async (_, container, seconds, expected) => {
    await run(container)
    await cluster.clock.run(seconds * 1000)
    expect(await shown()).toBe(expected)
  })

  test('has a log of its own words alone, and a last word', async () => {
    await run({
      ...sh('echo "$GREETING from $(hostname)"; printf "%s" last; echo done > /dev/termination-log'),
      env: [{ name: 'GREETING', value: 'hello' }],
    })
    await cluster.clock.run(5000)
    const [state] = (await cluster.pod()).status?.containerStatuses ?? []
    const log = await cluster.logs(state?.containerID ?? '')
    expect(log).toBe('hello from web\nlast\n')
    expect(state?.state?.terminated?.message).toBe('done\n')
  })

  test('is asked for the files it makes by its probes', async () => {
    const exec = { command: ['cat', '/tmp/healthy'] }
    await run(
      {
        ...sh('touch /tmp/healthy; sleep 30; rm -f /tmp/healthy; sleep 600'),
        readinessProbe: { exec, periodSeconds: 5, failureThreshold: 1 },
        livenessProbe: { exec, periodSeconds: 5, failureThreshold: 3 },
      },
      { restartPolicy: 'Always' },
    )
    const ready = async () => findCondition((await cluster.pod()).status?.conditions, 'Ready')?.status
    await cluster.clock.run(20_000)
    expect(await ready()).toBe('True')
    await cluster.clock.run(20_000)
    expect(await ready()).toBe('False')
    await cluster.clock.run(20_000)
    expect((await cluster.pod()).status?.containerStatuses?.[0]?.restartCount).toBe(1)
    expect(await cluster.eventsOf()).toContain(
      "Unhealthy: Liveness probe failed: cat: can't open '/tmp/healthy': No such file or directory",
    )
  })
})
