import { linkSync, readFileSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ApiError } from '../../api/status.ts'

/**
 * One process per data directory. The lock names its holder by pid and by when that process started, so that a pid
 * which another process got later does not look like a holder; where the start is not to be had, the pid decides.
 * The file appears whole (linked into place) and is left behind by a kill; whoever comes next clears it away.
 */
export type Unlock = () => void

interface Holder {
  readonly pid: number
  /** The machine's boot and the process's start within it; absent where there is no /proc. */
  readonly started?: string
}

/** Throws Conflict naming the holder; other errors are those of the file system. */
export function lockDirectory(directory: string): Unlock {
  const path = join(directory, 'lock')
  const mine = JSON.stringify(holderOf(process.pid))
  const draft = `${path}.${process.pid}`
  writeFileSync(draft, mine, { mode: 0o600 })
  try {
    // Losing the race for a stale lock twice means others are starting here just now.
    for (let attempt = 0; attempt < 3; attempt += 1) {
      if (linked(draft, path)) return () => release(path, mine)
      const found = read(path)
      if (found === undefined) continue
      const holder = parse(found)
      if (holder && isAlive(holder)) throw inUse(directory, holder.pid)
      setAside(path, found)
    }
    throw inUse(directory, parse(read(path) ?? '')?.pid)
  } finally {
    rmSync(draft, { force: true })
  }
}

function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** Takes the stale lock away; if it was replaced by a live one meanwhile, puts that back. */
function setAside(path: string, stale: string): void {
  const aside = `${path}.stale.${process.pid}`
  try {
    renameSync(path, aside)
  } catch {
    return
  }
  if (read(aside) !== stale) linked(aside, path)
  rmSync(aside, { force: true })
}

function release(path: string, mine: string): void {
  if (read(path) === mine) unlinkSync(path)
}

function isAlive(holder: Holder): boolean {
  const now = holderOf(holder.pid)
  if (now.started !== undefined && holder.started !== undefined) return now.started === holder.started
  try {
    process.kill(holder.pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function holderOf(pid: number): Holder {
  const stat = read(`/proc/${pid}/stat`)
  const boot = read('/proc/sys/kernel/random/boot_id')
  // The command name in parentheses may hold anything; the start time is field 22, the 20th after it.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
  const start = fields?.[19]
  if (!start || !boot) return { pid }
  // A killed process that nobody has waited for yet still has its entry, and holds nothing.
  const ended = fields[0] === 'Z' || fields[0] === 'X'
  return { pid, started: ended ? 'ended' : `${boot.trim()}/${start}` }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

function parse(text: string): Holder | undefined {
  try {
    const holder = JSON.parse(text) as Holder
    return Number.isSafeInteger(holder.pid) && holder.pid > 0 ? holder : undefined
  } catch {
    return undefined
  }
}

function inUse(directory: string, pid: number | undefined): ApiError {
  const who = pid === undefined ? 'another process' : `process ${pid}`
  return new ApiError(
    'Conflict',
    `Data directory "${directory}" is in use by ${who}; stop it, or choose another with --data`,
  )
}
