import { fault, type StatusCause } from './status.ts'

const PERCENT = /^\d+%$/

/** "25%" of 10 is 2.5: rounded up for surge and minAvailable, down for unavailable (intstr.GetScaledValueFromIntOrPercent). */
export function scaledValue(
  value: number | string | undefined,
  total: number,
  rounding: 'up' | 'down',
): number {
  if (value === undefined) return 0
  if (typeof value === 'number') return value
  const exact = (Number.parseInt(value, 10) * total) / 100
  return rounding === 'up' ? Math.ceil(exact) : Math.floor(exact)
}

export function isPercent(value: number | string | undefined): value is string {
  return typeof value === 'string'
}

/** A number of at least 0, or a percentage of at most 100. */
export function validateIntOrPercent(value: number | string | undefined, path: string): StatusCause[] {
  if (value === undefined) return []
  if (typeof value === 'number')
    return value < 0 ? [fault.invalid(path, value, 'must be greater than or equal to 0')] : []
  if (!PERCENT.test(value))
    return [
      fault.invalid(
        path,
        value,
        "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
      ),
    ]
  return Number.parseInt(value, 10) > 100 ? [fault.invalid(path, value, 'must not be greater than 100%')] : []
}
