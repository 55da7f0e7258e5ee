import { isReason } from '../api/status.ts'

/** Repeats a read-change-write that met a Conflict. `attempt` must read again each time; other errors pass through. */
export async function retryOnConflict<T>(attempt: () => Promise<T>, attemptsMax = 5): Promise<T> {
  for (let attempts = 1; ; attempts += 1) {
    try {
      return await attempt()
    } catch (error) {
      if (attempts >= attemptsMax || !isReason(error, 'Conflict')) throw error
    }
  }
}
