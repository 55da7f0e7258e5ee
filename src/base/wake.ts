/** Wakes everyone who waits. A waiter that comes after a `wake` waits for the next one. */
export class Wake {
  #waiting: Array<() => void> = []

  /** Resolves at the next `wake`, or as soon as the signal aborts. Never rejects. */
  wait(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve()
      const done = () => {
        signal?.removeEventListener('abort', done)
        resolve()
      }
      signal?.addEventListener('abort', done, { once: true })
      this.#waiting.push(done)
    })
  }

  wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }
}
