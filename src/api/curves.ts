import { parseDuration } from './duration.ts'
import type { Schema } from './schema.ts'
import { fault, type StatusCause } from './status.ts'

/**
 * How a declared amount changes with time: between a base (level 0) and a peak (level 1). constant: stays at the base;
 * ramp: goes from one to the other in a period and stays there; sine: there and back each period, gently; step: the
 * second half of each period at the peak. Pure.
 */
export interface Curve {
  readonly pattern?: 'constant' | 'ramp' | 'sine' | 'step' | undefined
  /** A duration. */
  readonly period?: string | undefined
}

const PERIOD = '10m'

/** 0 at the base, 1 at the peak. `ms` since it began. */
export function levelAt({ pattern, period }: Curve, ms: number): number {
  const periodMs = periodOf(period)
  switch (pattern) {
    case 'ramp':
      return Math.min(1, Math.max(0, ms / periodMs))
    case 'sine':
      return (1 - Math.cos((2 * Math.PI * ms) / periodMs)) / 2
    case 'step':
      return ms % periodMs < periodMs / 2 ? 0 : 1
    default:
      return 0
  }
}

/** Milliseconds until the level is first above `part` (0 to below 1); undefined: never. */
export function isAboveAfter({ pattern, period }: Curve, part: number): number | undefined {
  const periodMs = periodOf(period)
  switch (pattern) {
    case 'ramp':
      return Math.ceil(periodMs * part) + 1
    case 'sine':
      return Math.ceil((periodMs * Math.acos(1 - 2 * part)) / (2 * Math.PI)) + 1
    case 'step':
      return Math.ceil(periodMs / 2)
    default:
      return undefined
  }
}

/** An amount that has both ends; without a peak it stays where it is. */
export function amountAt(curve: Curve, base: number, peak: number | undefined, ms: number): number {
  return peak === undefined ? base : base + (peak - base) * levelAt(curve, ms)
}

export function curveSchema(start: string): Readonly<Record<'pattern' | 'period', Schema>> {
  return {
    pattern: {
      type: 'string',
      enum: ['constant', 'ramp', 'sine', 'step'],
      description: `How it goes to the peak, counted from ${start}: ramp: once, in a period, and stays; sine: there and back each period; step: the second half of each period at the peak. Default constant: never.`,
    },
    period: { type: 'string', description: `Of a ramp, sine or step. Default ${PERIOD}.` },
  }
}

export function validateCurve({ period }: Curve, path: string): StatusCause[] {
  return period === undefined || (parseDuration(period) ?? 0) > 0
    ? []
    : [fault.invalid(`${path}.period`, period, 'must be a duration above 0, such as "10m" or "24h"')]
}

function periodOf(period: string | undefined): number {
  return Math.max(1, parseDuration(period ?? PERIOD) ?? 1)
}
