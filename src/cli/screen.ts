import { type Cancel, type Clock, every } from '../base/clock.ts'
import type { Progress } from '../sync/progress.ts'
import type { Output } from './output.ts'
import { block, linesOf, type View } from './progress-view.ts'

const REDRAW_MS = 250
/** A line at least this often while nothing happens, where lines are all there is. */
const HEARTBEAT_MS = 30_000

/** Shows progress: a terminal gets lasting lines with a block below that is redrawn; everything else one line per event. */
export interface Screen {
  show(progress: Progress): void
  line(text: string): void
  close(): void
}

export function createScreen(clock: Clock, output: Output, form: 'pretty' | 'plain' | 'json'): Screen {
  if (form === 'json') {
    return {
      show: (progress) => output.result(JSON.stringify({ time: clock.now(), ...progress })),
      line: () => {},
      close: () => {},
    }
  }
  return form === 'pretty' && output.isTerminal ? new LiveScreen(clock, output) : plainScreen(clock, output)
}

function plainScreen(clock: Clock, output: Output): Screen {
  let waiting: Extract<Progress, { type: 'waiting' }> | undefined
  let shown = ''
  const cancel = every(clock, HEARTBEAT_MS, () => {
    const [first] = waiting?.resources ?? []
    if (first)
      output.progress(
        `  ⟳ still waiting: ${first.kind} ${first.name}: ${first.health.message ?? first.health.status}`,
      )
  })
  return {
    show(progress) {
      waiting = progress.type === 'waiting' ? progress : undefined
      if (progress.type === 'waiting') {
        // Only what changed: each object's line once per text.
        for (const { kind, namespace, name, health } of progress.resources.slice(0, 4)) {
          const text = `  ⟳ ${kind} ${namespace ? `${namespace}/` : ''}${name}   ${health.message ?? health.status}`
          if (!shown.includes(text)) output.progress(text)
          shown = `${shown}\n${text}`.slice(-20_000)
        }
        return
      }
      for (const text of linesOf(progress, (_, plain) => plain)) output.progress(text)
    },
    line: (text) => output.progress(text),
    close: cancel,
  }
}

class LiveScreen implements Screen {
  readonly #clock: Clock
  readonly #output: Output
  readonly #cancel: Cancel
  #view: View | undefined
  #drawn = 0

  constructor(clock: Clock, output: Output) {
    this.#clock = clock
    this.#output = output
    this.#cancel = every(clock, REDRAW_MS, () => this.#draw([]))
  }

  show(progress: Progress): void {
    if (progress.type === 'waiting') {
      const isSame = this.#view?.commit === progress.commit
      const since = isSame && this.#view ? this.#view.since : this.#clock.now()
      this.#view = {
        application: progress.application,
        commit: progress.commit,
        waiting: progress.resources,
        since,
      }
      this.#draw([])
      return
    }
    if (
      progress.type === 'healthy' ||
      progress.type === 'failed' ||
      progress.type === 'superseded' ||
      progress.type === 'rolled-back' ||
      progress.type === 'commit-seen'
    )
      this.#view = undefined
    this.#draw(linesOf(progress, this.#output.paint))
  }

  line(text: string): void {
    this.#draw([text])
  }

  close(): void {
    this.#cancel()
    this.#view = undefined
    this.#draw([])
  }

  /** Lasting lines first, the block below them; what was drawn of the block before is overwritten in one write. */
  #draw(lasting: readonly string[]): void {
    const lines = this.#view
      ? block(this.#view, this.#clock.now(), this.#output.columns(), this.#output.paint)
      : []
    if (lasting.length === 0 && lines.length === 0 && this.#drawn === 0) return
    const up = this.#drawn > 0 ? `\u001b[${this.#drawn}A\r\u001b[J` : ''
    this.#drawn = lines.length
    process.stderr.write(up + [...lasting, ...lines].map((line) => `${line}\n`).join(''))
  }
}
