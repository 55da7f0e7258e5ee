import { parseDuration } from '../../api/duration.ts'
import type { V1Container } from '../../api/generated/types.ts'
import { type Clock, sleep } from '../../base/clock.ts'
import type { ProcessIo } from '../../client/node-connection.ts'
import type { Behaviour } from './behaviour.ts'
import type { ContainerFiles } from './shell/files.ts'
import type { Command } from './shell/process.ts'
import { Shell } from './shell/shell.ts'
import { converse, plumb } from './shell/terminal.ts'
import type { Surroundings } from './surroundings.ts'

/** A command in a simulated container: one its image declares, or one of the small shell. Resolves with the exit code. */
export async function runInContainer(
  clock: Clock,
  {
    container,
    behaviour,
    surroundings,
    files,
  }: {
    readonly container: V1Container
    readonly behaviour: Behaviour
    readonly surroundings: Surroundings
    readonly files: ContainerFiles
  },
  command: readonly string[],
  io: ProcessIo,
): Promise<number> {
  await surroundings.prepare()
  const { stdin, outputs } = plumb(io)
  const main = [...(container.command ?? []), ...(container.args ?? [])].join(' ') || container.name
  const shell = new Shell({
    files,
    env: {
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      HOME: '/root',
      ...surroundings.serviceEnv,
      ...surroundings.env,
    },
    hostname: surroundings.hostname,
    workingDir: container.workingDir ?? '/',
    clock,
    signal: io.signal,
    processes: [main, command.join(' ')],
    commands: Object.fromEntries(behaviour.commands.map((each) => [each.name, declared(each)])),
  })
  const isShell =
    /^(\/bin\/)?(sh|bash|ash)$/.test(command[0] ?? '') &&
    command.slice(1).every((arg) => /^-[il]+$/.test(arg))
  if (io.tty && isShell && !shell.has('sh')) return converse(shell, stdin, outputs)
  return shell.run(command, stdin, outputs)
}

function declared({ output, error, exitCode, takes }: Behaviour['commands'][number]): Command {
  return async ({ out, err, clock, signal }) => {
    if (takes !== undefined) await sleep(clock, parseDuration(takes) ?? 0, signal)
    if (output !== undefined) await out(output)
    if (error !== undefined) await err(error)
    return exitCode ?? 0
  }
}
