import type { Progress, ResourceLine } from '../sync/progress.ts'
import { type Paint, printable } from './output.ts'

/**
 * What `seamark up` shows of the progress events. Pure: events in, lines out. `linesOf` gives the lasting lines of one
 * event; `block` the lines of the commit that is being worked on, which a terminal redraws in place.
 */
export interface View {
  readonly application: string
  readonly commit: string
  readonly waiting: readonly ResourceLine[]
  readonly since: number
}

export function linesOf(progress: Progress, paint: Paint): string[] {
  const short = (id: string) => id.slice(0, 7)
  const app = printable(progress.application.replace(/^default\//, ''))
  switch (progress.type) {
    case 'waiting-for-source':
      return [`${paint('bold', app)}  ${paint('yellow', '…')} ${printable(progress.message)}`]
    case 'commit-seen': {
      const { id, subject, branch } = progress.commit
      return [
        `${paint('bold', app)}  ${branch ? `${printable(branch)} @ ` : ''}${short(id)} ${JSON.stringify(printable(subject))}`,
      ]
    }
    case 'rendered':
      return [
        `  ${paint('green', '✔')} rendered ${count(progress.objects, 'object')}`,
        ...progress.warnings.map(
          ({ file, line, message }) =>
            `  ${paint('yellow', '!')} ${printable(file)}${line === undefined ? '' : `:${line}`} ${printable(message)}`,
        ),
      ]
    case 'accepted':
      return [`  ${paint('green', '✔')} accepted by the API`]
    case 'applied': {
      const { created, configured, pruned } = progress.changes
      const parts = [
        created > 0 ? `${created} created` : '',
        configured > 0 ? `${configured} changed` : '',
        pruned > 0 ? `${pruned} pruned` : '',
      ].filter(Boolean)
      return [
        `  ${paint('green', '✔')} applied: ${parts.join(', ') || 'nothing to change'}   ${paint('dim', `(${seconds(progress.tookMs)})`)}`,
      ]
    }
    case 'waiting':
      return []
    case 'healthy':
      return [
        `  ${paint('green', '✔')} ${paint('green', 'Healthy')} after ${seconds(progress.tookMs)}${progress.notedOn ? `, noted on ${short(progress.notedOn)}` : ''}`,
      ]
    case 'failed': {
      const { failure } = progress
      const places = failure.places
        .slice(0, 10)
        .map(
          ({ file, line, column, message }) =>
            `      ${printable(file)}${line === undefined ? '' : `:${line}:${column}`}  ${printable(message)}`,
        )
      return [
        `  ${paint('red', '✘')} ${printable(failure.message)}  ${paint('dim', failure.reason)}`,
        ...places,
      ]
    }
    case 'rolling-back':
      return [`  ↩ back to ${short(progress.to)} …`]
    case 'rolled-back':
      return [
        `  ↩ back to ${short(progress.to)}: ${paint('green', 'Healthy')} after ${seconds(progress.tookMs)}; ${short(progress.from)} is quarantined until the next commit`,
      ]
    case 'superseded':
      return [`  ${paint('dim', `${short(progress.commit)} is superseded by ${short(progress.by)}`)}`]
    case 'drift-corrected':
      return [
        `${paint('bold', app)}  ${paint('yellow', '⟲')} ${printable(progress.resource)} was changed by ${printable(progress.by)}; put back`,
      ]
    case 'quarantined':
      return [
        `${paint('bold', app)}  ${short(progress.commit.id)} "${printable(progress.commit.subject)}" is quarantined; seamark sync tries it again`,
        `  ${paint('red', '✘')} ${printable(progress.message)}`,
      ]
    case 'degraded':
      return [`${paint('bold', app)}  ${paint('red', '✘')} ${printable(progress.message)}`]
    case 'recovered':
      return [`${paint('bold', app)}  ${paint('green', '✔')} everything is healthy again`]
    case 'suspended':
      return [`${paint('bold', app)}  suspended`]
  }
}

/** The rollout under way, one line for each object that is not healthy yet; at most `max`. */
export function block({ waiting, since }: View, now: number, width: number, paint: Paint, max = 8): string[] {
  const lines = worstFirst(waiting)
    .slice(0, max)
    .map((resource) => {
      const text = waitingLine(resource)
      const fitted = text.length > width - 1 ? `${text.slice(0, width - 2)}…` : text
      return resource.health.status === 'Degraded' ? paint('red', fitted) : fitted
    })
  if (waiting.length > max) lines.push(`    … ${waiting.length - max} more`)
  return [...lines, paint('dim', `    ${seconds(now - since)}`)]
}

/** "  ⟳ Deployment shop/web   1 of 3 updated replicas are available" */
export function waitingLine({ kind, namespace, name, health }: ResourceLine): string {
  // The line says already what is waited for.
  const message = (health.message ?? health.status).replace(
    /^Waiting for deployment ".*?" rollout to finish: /,
    '',
  )
  return `  ⟳ ${printable(`${kind} ${namespace ? `${namespace}/` : ''}${name}   ${message}`)}`
}

function worstFirst(waiting: readonly ResourceLine[]): ResourceLine[] {
  const rank = ({ health }: ResourceLine) => (health.status === 'Degraded' ? 0 : 1)
  return [...waiting].sort((a, b) => rank(a) - rank(b))
}

/** "84 ms", "6.2 s", "3 min 5 s" */
export function seconds(ms: number): string {
  const rounded = Math.round(ms)
  if (rounded < 1000) return `${rounded} ms`
  const tenths = Math.round(ms / 100)
  if (tenths < 600) return `${(tenths / 10).toFixed(1)} s`
  const whole = Math.round(ms / 1000)
  return `${Math.floor(whole / 60)} min ${whole % 60} s`
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`
}
