import { type Cancel, type Clock, every } from '../base/clock.ts'
import { formatTime } from '../base/date.ts'
import type { Progress } from '../sync/progress.ts'
import type { Output } from './output.ts'
import { block, linesOf, type View, waitingLine } from './progress-view.ts'

const REDRAW_MS = 250
/** What is told of beside a commit on its way. */
const BESIDE: ReadonlySet<Progress['type']> = new Set(['drift-corrected', 'degraded', 'recovered'])
/** A line at least this often while nothing happens, where lines are all there is. */
const HEARTBEAT_MS = 30_000
/** Objects that are told of one by one, where lines are all there is. */
const LINES_MAX = 8

/** What is no progress of an application: where the server is, and that it ends. */
type Notice =
  | { readonly type: 'started'; readonly version: string; readonly url: string; readonly kubeconfig: string }
  | { readonly type: 'stopping' }
  | { readonly type: 'stopped'; readonly revision: number; readonly data: string }

/**
 * Shows progress: a terminal gets lasting lines with a block below that is redrawn; everything else one line per event,
 * or one JSON object per line. Nothing of the terminal is changed (no alternate screen, no hidden cursor), so nothing
 * needs to be put back, whatever ends the process.
 */
export interface Screen {
  show(progress: Progress): void
  notice(notice: Notice): void
  close(): void
}

export function createScreen(clock: Clock, output: Output, form: 'pretty' | 'plain' | 'json'): Screen {
  if (form === 'json') {
    const write = (event: Progress | Notice) =>
      output.result(JSON.stringify({ time: formatTime(clock.now()), ...event }))
    return { show: write, notice: write, close: () => {} }
  }
  return form === 'pretty' && output.isTerminal ? new LiveScreen(clock, output) : plainScreen(clock, output)
}

function noticeLine(notice: Notice): string {
  switch (notice.type) {
    case 'started':
      return `seamark ${notice.version}   ${notice.url}   export KUBECONFIG=${notice.kubeconfig}`
    case 'stopping':
      return 'stopping … press Ctrl-C again to stop at once'
    case 'stopped':
      return `stopped at revision ${notice.revision}; state is kept in ${notice.data}`
  }
}

function plainScreen(clock: Clock, output: Output): Screen {
  let waiting: Extract<Progress, { type: 'waiting' }> | undefined
  let shownAt = clock.now()
  /** Each object's line as it was shown last: only what changed is told. */
  const shown = new Map<string, string>()
  const write = (text: string) => {
    shownAt = clock.now()
    output.progress(text)
  }
  const cancel = every(clock, HEARTBEAT_MS, () => {
    const [first] = waiting?.resources ?? []
    if (first && clock.now() - shownAt >= HEARTBEAT_MS)
      write(waitingLine(first).replace('⟳', '⟳ still waiting:'))
  })
  return {
    show(progress) {
      waiting = progress.type === 'waiting' ? progress : undefined
      if (progress.type === 'commit-seen') shown.clear()
      if (progress.type === 'waiting') {
        for (const resource of progress.resources.slice(0, LINES_MAX)) {
          const id = `${resource.kind}/${resource.namespace ?? ''}/${resource.name}`
          const text = waitingLine(resource)
          if (shown.get(id) !== text) write(text)
          shown.set(id, text)
        }
        return
      }
      for (const text of linesOf(progress, (_, plain) => plain)) write(text)
    },
    notice: (notice) => write(noticeLine(notice)),
    close: cancel,
  }
}

class LiveScreen implements Screen {
  readonly #clock: Clock
  readonly #output: Output
  readonly #cancel: Cancel
  #view: View | undefined
  /** Columns of each line of the block as it was drawn. */
  #drawn: readonly number[] = []

  constructor(clock: Clock, output: Output) {
    this.#clock = clock
    this.#output = output
    this.#cancel = every(clock, REDRAW_MS, () => this.#draw([]))
  }

  show(progress: Progress): void {
    if (progress.type === 'waiting') {
      const isSame = this.#view?.commit === progress.commit
      const since = isSame && this.#view ? this.#view.since : this.#clock.now()
      const { application, commit, resources } = progress
      this.#view = { application, commit, waiting: resources, since }
      this.#draw([])
      return
    }
    if (!BESIDE.has(progress.type)) this.#view = undefined
    this.#draw(linesOf(progress, this.#output.paint))
  }

  notice(notice: Notice): void {
    this.#draw([noticeLine(notice)])
  }

  close(): void {
    this.#cancel()
    this.#view = undefined
    this.#draw([])
  }

  /** Lasting lines first, the block below them, in one write: what was drawn of the block before is overwritten. */
  #draw(lasting: readonly string[]): void {
    const { columns, rows, paint } = this.#output
    const max = Math.max(1, Math.min(rows() - 4, 12))
    const lines = this.#view ? block(this.#view, this.#clock.now(), columns(), paint, max) : []
    if (lasting.length === 0 && lines.length === 0 && this.#drawn.length === 0) return
    // A terminal that became narrower has wrapped what was drawn.
    const height = this.#drawn.reduce((sum, width) => sum + Math.max(1, Math.ceil(width / columns())), 0)
    const up = height > 0 ? `\u001b[${height}A\r\u001b[J` : ''
    this.#drawn = lines.map((line) => unpainted(line).length)
    const text = [...lasting, ...lines].map((line) => `${line}\n`).join('')
    // Where the terminal knows synchronised output, no half frame is ever seen.
    this.#output.raw(`\u001b[?2026h${up}${text}\u001b[?2026l`)
  }
}

function unpainted(line: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are what is taken out
  return line.replace(/\u001b\[[0-9;]*m/g, '')
}
