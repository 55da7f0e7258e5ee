import { fault, type StatusCause } from './status.ts'

/** Small rules of single fields that validation of many kinds is made of. A field that is not there has no fault. */
export function oneOf(value: string | undefined, supported: readonly string[], path: string): StatusCause[] {
  return value === undefined || supported.includes(value) ? [] : [fault.notSupported(path, value, supported)]
}

export function notNegative(value: number | undefined, path: string): StatusCause[] {
  return value === undefined || value >= 0
    ? []
    : [fault.invalid(path, value, 'must be greater than or equal to 0')]
}

/** `why` says what is wrong with a text, as the rules of names.ts do. Empty texts are as good as none. */
export function follows(
  value: string | undefined,
  why: (text: string) => string | undefined,
  path: string,
): StatusCause[] {
  const wrong = value ? why(value) : undefined
  return wrong === undefined ? [] : [fault.invalid(path, value, wrong)]
}

/** Required, and following the rule. */
export function named(
  value: string | undefined,
  why: (text: string) => string | undefined,
  path: string,
): StatusCause[] {
  return value ? follows(value, why, path) : [fault.required(path)]
}

/** A relative path that stays where it is. */
export function descends(value: string | undefined, path: string): StatusCause[] {
  if (!value) return []
  if (value.startsWith('/')) return [fault.invalid(path, value, 'must be a relative path')]
  return noBacksteps(value, path)
}

export function noBacksteps(value: string, path: string): StatusCause[] {
  return value.split('/').includes('..') ? [fault.invalid(path, value, "must not contain '..'")] : []
}
