import { mkdir, open, rename, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ApiError } from '../../api/status.ts'
import { type Clock, sleep } from '../../base/clock.ts'

/** Another git command holds a ref for moments; more than this is a lock that somebody left behind. */
const TRIES_MS = [10, 30, 100, 300, 1000]

/**
 * git's own protocol: whoever creates REF.lock may write REF, and does so by renaming the lock over it, so that a crash
 * leaves either the old value or the new one. `write` gets `set`, which takes the new object id.
 */
export async function withRefLock<T>(
  clock: Clock,
  gitdir: string,
  ref: string,
  write: (set: (oid: string) => void) => Promise<T>,
): Promise<T> {
  const lock = join(gitdir, `${ref}.lock`)
  await mkdir(dirname(lock), { recursive: true })
  const file = await acquire(clock, lock, ref)
  let value: string | undefined
  try {
    const result = await write((oid) => {
      value = oid
    })
    if (value !== undefined) {
      await file.writeFile(`${value}\n`)
      await file.sync()
    }
    await file.close()
    if (value === undefined) await unlink(lock)
    else await rename(lock, join(gitdir, ref))
    return result
  } catch (error) {
    await file.close().catch(() => {})
    await unlink(lock).catch(() => {})
    throw error
  }
}

async function acquire(clock: Clock, lock: string, ref: string) {
  for (const waitMs of [...TRIES_MS, undefined]) {
    try {
      return await open(lock, 'wx')
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      if (code !== 'EEXIST')
        throw new ApiError('Forbidden', `Cannot write ${ref}: ${message}`, { cause: error })
      if (waitMs === undefined) {
        const why = 'another git command is running, or was killed and left it; delete it then'
        throw new ApiError('Conflict', `Cannot write ${ref}: ${lock} exists; ${why}`, { cause: error })
      }
      await sleep(clock, waitMs)
    }
  }
  throw new ApiError('Conflict', `Cannot write ${ref}`)
}
