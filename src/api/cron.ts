import { formatTime } from '../base/date.ts'
import { parseDuration } from './duration.ts'

/**
 * Cron schedules as Kubernetes reads them (five fields, @hourly and its like, @every DURATION). Wall-clock times of the
 * zone are matched against instants that exist: what daylight saving skips does not run that day, and what it repeats
 * runs twice.
 */
export interface CronSchedule {
  /** The first time after this one. Epoch ms, whole minutes (seconds for @every); undefined: never within five years. */
  next(after: number): number | undefined
}

interface Field {
  readonly name: string
  readonly min: number
  readonly max: number
  readonly names?: readonly string[]
}

const FIELDS: readonly Field[] = [
  { name: 'minute', min: 0, max: 59 },
  { name: 'hour', min: 0, max: 23 },
  { name: 'day of month', min: 1, max: 31 },
  { name: 'month', min: 1, max: 12, names: 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ') },
  { name: 'day of week', min: 0, max: 6, names: 'sun mon tue wed thu fri sat'.split(' ') },
]
const DESCRIPTORS: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
}
const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
const HORIZON_MS = 5 * 366 * DAY_MS

/** Throws an Error that says what is wrong with the text. `timeZone` is one that `isTimeZone` knows; default UTC. */
export function parseCron(text: string, timeZone = 'UTC'): CronSchedule {
  const every = /^@every (.+)$/.exec(text)?.[1]
  if (every !== undefined) return constantDelay(every)
  const line = text.startsWith('@') ? DESCRIPTORS[text] : text
  if (line === undefined) throw new Error(`unrecognized descriptor: ${text}`)
  const parts = line.trim().split(/\s+/)
  if (parts.length !== FIELDS.length || parts[0] === '')
    throw new Error(
      `expected exactly 5 fields, found ${parts[0] === '' ? 0 : parts.length}: [${parts.join(' ')}]`,
    )
  const [minutes, hours, days, months, weekdays] = FIELDS.map((field, i) => parseField(parts[i] ?? '', field))
  const anyDay = isWild(parts[2]) || isWild(parts[4])
  const wallAt = wallClock(timeZone)
  const isDay = (wall: Wall) => {
    if (!months?.has(wall.month)) return false
    const [dom, dow] = [days?.has(wall.day) === true, weekdays?.has(wall.weekday) === true]
    return anyDay ? dom && dow : dom || dow
  }
  return {
    next(after) {
      let at = Math.floor(after / MINUTE_MS) * MINUTE_MS + MINUTE_MS
      for (const end = after + HORIZON_MS; at <= end; ) {
        const wall = wallAt(at)
        if (!isDay(wall)) at = nextDay(at, wall, wallAt)
        else if (!hours?.has(wall.hour)) at += (60 - wall.minute) * MINUTE_MS
        else if (!minutes?.has(wall.minute)) at += MINUTE_MS
        else return at
      }
      return undefined
    },
  }
}

/** Of the IANA database, as this machine has it. "Local" is none. */
export function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: name }) !== undefined && !/^[+-]/.test(name)
  } catch {
    return false
  }
}

function constantDelay(text: string): CronSchedule {
  const delay = parseDuration(text)
  if (delay === undefined) throw new Error(`failed to parse duration @every ${text}`)
  const stepMs = Math.max(1, Math.floor(delay / 1000)) * 1000
  return { next: (after) => Math.floor(after / 1000) * 1000 + stepMs }
}

function isWild(part: string | undefined): boolean {
  return part?.split(',').some((one) => one === '*' || one === '?' || one === '*/1') === true
}

function parseField(text: string, field: Field): ReadonlySet<number> {
  return new Set(text.split(',').flatMap((part) => parseRange(part, field)))
}

/** "*", "?", "5", "1-5", each with "/step"; a single number with a step runs to the field's end. */
function parseRange(text: string, field: Field): number[] {
  const [range = '', step, ...more] = text.split('/')
  if (more.length > 0) throw new Error(`too many slashes: ${text}`)
  const [low = '', high, ...rest] = range.split('-')
  if (rest.length > 0) throw new Error(`too many hyphens: ${text}`)
  const isAll = low === '*' || low === '?'
  const start = isAll ? field.min : numberOf(low, field)
  const isOpen = isAll || (high === undefined && step !== undefined)
  const end = isOpen ? field.max : high === undefined ? start : numberOf(high, field)
  const by = step === undefined ? 1 : plainNumber(step)
  if (start < field.min)
    throw new Error(`beginning of range (${start}) below minimum (${field.min}): ${text}`)
  if (end > field.max) throw new Error(`end of range (${end}) above maximum (${field.max}): ${text}`)
  if (start > end) throw new Error(`beginning of range (${start}) beyond end of range (${end}): ${text}`)
  if (by === 0) throw new Error(`step of range should be a positive number: ${text}`)
  return Array.from({ length: Math.floor((end - start) / by) + 1 }, (_, i) => start + i * by)
}

function numberOf(text: string, { names, min }: Field): number {
  const named = names?.indexOf(text.toLowerCase()) ?? -1
  return named >= 0 ? named + min : plainNumber(text)
}

function plainNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new Error(`failed to parse int from ${text}`)
  return Number(text)
}

interface Wall {
  readonly month: number
  readonly day: number
  readonly weekday: number
  readonly hour: number
  readonly minute: number
}

const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']

function wallClock(timeZone: string): (at: number) => Wall {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    month: 'numeric',
    day: 'numeric',
    weekday: 'short',
    hour: 'numeric',
    minute: 'numeric',
  })
  return (at) => {
    const parts = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]))
    return {
      month: Number(parts['month']),
      day: Number(parts['day']),
      weekday: WEEKDAYS.indexOf(parts['weekday'] ?? ''),
      hour: Number(parts['hour']),
      minute: Number(parts['minute']),
    }
  }
}

/** RFC 3339 with the zone's offset at that instant: "2030-07-01T02:30:00+02:00", "…Z" where it is none. */
export function formatTimeIn(at: number, timeZone = 'UTC'): string {
  const format = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' })
  const name = format.formatToParts(at).find(({ type }) => type === 'timeZoneName')?.value ?? ''
  const [, sign, hours = '0', minutes = '0'] = /GMT([+-])(\d{2}):(\d{2})/.exec(name) ?? []
  const offset = (Number(hours) * 60 + Number(minutes)) * MINUTE_MS * (sign === '-' ? -1 : 1)
  const text = formatTime(at + offset)
  return offset === 0 ? text : `${text.slice(0, -1)}${sign}${hours}:${minutes}`
}

/** The first instant of the next day on the wall clock, which may be 23 or 25 hours away. */
function nextDay(at: number, wall: Wall, wallAt: (at: number) => Wall): number {
  let next = at + DAY_MS - (wall.hour * 60 + wall.minute) * MINUTE_MS
  for (let tries = 0; tries < 3; tries += 1) {
    const there = wallAt(next)
    if (there.day === wall.day) next += DAY_MS - (there.hour * 60 + there.minute) * MINUTE_MS
    else if (there.hour > 0 && wallAt(next - HOUR_MS).day === there.day) next -= HOUR_MS
    else break
  }
  return next
}
