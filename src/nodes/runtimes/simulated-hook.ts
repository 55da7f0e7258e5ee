import { parseDuration } from '../../api/duration.ts'
import type { V1Container, V1LifecycleHandler, V1Probe } from '../../api/generated/types.ts'
import { type Clock, sleep } from '../../base/clock.ts'
import type { Behaviour } from './behaviour.ts'
import { probeRefusal } from './probe-refusal.ts'
import type { ProbeAnswer } from './runtime.ts'
import type { ContainerFiles } from './shell/files.ts'
import { answerFor } from './simulated-http.ts'

const NEVER = Number.POSITIVE_INFINITY
const NOT_FOUND = 127

/**
 * What a probe of a simulated container finds: nothing until it is ready, then what its image declares for the path or
 * the command; what nobody declares is fine. Pure.
 */
export function simulatedProbe(
  probe: V1Probe,
  {
    container,
    behaviour,
    own,
    files,
  }: {
    readonly container: V1Container
    readonly behaviour: Behaviour
    /** It runs what its spec says, and its files are what that leaves. */
    readonly own?: unknown
    readonly files?: ContainerFiles | undefined
  },
  podIP: string,
  readyAt: number,
  now: number,
): ProbeAnswer {
  if (now < readyAt) return { ok: false, message: probeRefusal(probe, container, podIP), until: readyAt }
  const { httpGet, exec } = probe
  if (httpGet) {
    const status = statusOf(behaviour, container, httpGet.port, httpGet.path)
    if (status >= 400)
      return { ok: false, message: `HTTP probe failed with statuscode: ${status}`, until: NEVER }
  }
  const command = behaviour.commands.find(({ name }) => name === baseName(exec?.command?.[0]))
  const seconds = probe.timeoutSeconds ?? 1
  if ((parseDuration(command?.takes ?? '0s') ?? 0) > seconds * 1000) {
    const message = `command timed out: "${exec?.command?.join(' ')}" timed out after ${seconds}s`
    return { ok: false, message, until: NEVER }
  }
  if (command?.exitCode) return { ok: false, message: command.error ?? command.output ?? '', until: NEVER }
  const path = own && files && exec ? fileAskedFor(exec.command) : undefined
  if (path !== undefined && files)
    return { ok: files.find(path) !== undefined, message: lacking(exec?.command?.[0], path), until: now }
  return { ok: true, message: '', until: NEVER }
}

/** In busybox's words. */
function lacking(command: string | undefined, path: string): string {
  const name = baseName(command)
  if (name === 'test') return ''
  return name === 'cat'
    ? `cat: can't open '${path}': No such file or directory`
    : `${name}: ${path}: No such file or directory`
}

/** Of a probe that is about a file: `cat /tmp/healthy`, `test -f /tmp/ready`. */
function fileAskedFor([name, ...args]: readonly string[] = []): string | undefined {
  const base = baseName(name)
  const [path, ...more] = args.filter((arg) => !arg.startsWith('-'))
  const isAbout = ['cat', 'ls', 'stat'].includes(base) || (base === 'test' && /^-[ef]$/.test(args[0] ?? ''))
  return isAbout && more.length === 0 && path?.startsWith('/') ? path : undefined
}

/** A probe that fails every other while. Pure. */
export function flapping(now: number, everyMs: number): ProbeAnswer {
  const ok = Math.floor(now / everyMs) % 2 === 0
  return { ok, message: ok ? '' : 'a Fault makes this probe fail', until: now + everyMs }
}

/**
 * A lifecycle hook: why it failed, or undefined. A command that neither the image declares nor the small shell has is
 * taken to be there and to work, as the container itself is.
 */
export async function simulatedHook(
  clock: Clock,
  { exec, httpGet, sleep: rest }: V1LifecycleHandler,
  subject: { readonly container: V1Container; readonly behaviour: Behaviour },
  run: (command: readonly string[]) => Promise<number>,
): Promise<string | undefined> {
  if (rest) await sleep(clock, rest.seconds * 1000)
  if (httpGet) {
    const status = statusOf(subject.behaviour, subject.container, httpGet.port, httpGet.path)
    return status >= 400 ? `HTTP hook failed with status code: ${status}` : undefined
  }
  if (!exec?.command) return undefined
  const code = await run(exec.command)
  if (code === 0 || code === NOT_FOUND) return undefined
  return `command '${exec.command.join(' ')}' exited with ${code}`
}

function statusOf(
  { http }: Behaviour,
  { ports = [] }: V1Container,
  port: string | number | undefined,
  path = '/',
): number {
  const number = ports.find(({ name }) => name !== undefined && name === port)?.containerPort ?? Number(port)
  const found = answerFor(http, number, path.startsWith('/') ? path : `/${path}`)
  return found === 'unknown path' ? 404 : (found?.status ?? 200)
}

function baseName(path = ''): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
