import { Wake } from '../base/wake.ts'

/**
 * What each application's newest commit wants, known to all of them: an object that moves from one application to
 * another is handed over, not deleted and made again, in whichever order the two look at the commit.
 */
export class Claims {
  readonly #claims = new Map<string, { readonly commit: string; readonly ids: ReadonlySet<string> }>()
  readonly #moved = new Wake()

  /** The application has rendered a commit: these are its objects. */
  claim(application: string, commit: string, ids: Iterable<string>): void {
    this.#claims.set(application, { commit, ids: new Set(ids) })
    this.#moved.wake()
  }

  forget(application: string): void {
    this.#claims.delete(application)
    this.#moved.wake()
  }

  /** Whether the application has said what it wants, and this is not in it. */
  isReleased(application: string, id: string): boolean {
    const claim = this.#claims.get(application)
    return claim !== undefined && !claim.ids.has(id)
  }

  /** The other application that wants this object. */
  claimedBy(id: string, except: string): string | undefined {
    for (const [application, { ids }] of this.#claims)
      if (application !== except && ids.has(id)) return application
    return undefined
  }

  /** Waits until each of the applications has rendered this commit; false when the signal aborts first. */
  async rendered(
    applications: () => readonly string[],
    commit: string,
    signal: AbortSignal,
  ): Promise<boolean> {
    const isMissing = () => applications().some((key) => this.#claims.get(key)?.commit !== commit)
    while (!signal.aborted && isMissing()) await this.#moved.wait(signal)
    return !isMissing()
  }
}
