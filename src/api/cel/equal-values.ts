/** Whether two values of CEL are equal: numbers by value, lists and objects by what is in them. */
export function equalValues(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a === 'bigint' && typeof b === 'number') return Number(a) === b
  if (typeof a === 'number' && typeof b === 'bigint') return a === Number(b)
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) || Array.isArray(b))
    return (
      Array.isArray(a) &&
      Array.isArray(b) &&
      a.length === b.length &&
      a.every((item, i) => equalValues(item, b[i]))
    )
  if (a.constructor !== b.constructor) return false
  if (typeof a.valueOf() !== 'object') return a.valueOf() === b.valueOf()
  const keys = Object.keys(a)
  return (
    keys.length === Object.keys(b).length &&
    keys.every(
      (key) =>
        Object.hasOwn(b, key) &&
        equalValues((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]),
    )
  )
}
