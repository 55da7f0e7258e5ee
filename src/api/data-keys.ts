import { fault, type StatusCause } from './status.ts'

const KEY = /^[-._a-zA-Z0-9]+$/

/** Keys of ConfigMap and Secret data: they become file names. */
export function validateDataKeys(
  data: Readonly<Record<string, string>> | undefined,
  path: string,
): StatusCause[] {
  return Object.keys(data ?? {}).flatMap((key) => {
    const at = `${path}[${key}]`
    if (key.length > 253) return [fault.invalid(at, key, 'must be no more than 253 bytes')]
    if (key === '.' || key === '..' || key.startsWith('..'))
      return [fault.invalid(at, key, `must not start with '..'`)]
    if (KEY.test(key)) return []
    return [
      fault.invalid(
        at,
        key,
        "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
      ),
    ]
  })
}
