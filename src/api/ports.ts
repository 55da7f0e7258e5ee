import { fault, type StatusCause } from './status.ts'

/** The rules of ports, with Kubernetes' words (apimachinery/util/validation). Each returns what is wrong. */
export function portNumberFaults(port: number, path: string): StatusCause[] {
  return port >= 1 && port <= 65535
    ? []
    : [fault.invalid(path, port, 'must be between 1 and 65535, inclusive')]
}

/** An IANA service name: at most 15 of a-z, 0-9 and single hyphens inside, with at least one letter. */
export function portNameFaults(name: string, path: string): StatusCause[] {
  const wrong: string[] = []
  if (name.length > 15) wrong.push('must be no more than 15 characters')
  if (!/^[-a-z0-9]+$/.test(name))
    wrong.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)')
  if (!/[a-z]/.test(name)) wrong.push('must contain at least one letter (a-z)')
  if (name.includes('--')) wrong.push('must not contain consecutive hyphens')
  if (name.startsWith('-') || name.endsWith('-')) wrong.push('must not begin or end with a hyphen')
  return wrong.map((why) => fault.invalid(path, name, why))
}

export function portFaults(port: number | string, path: string): StatusCause[] {
  return typeof port === 'number' ? portNumberFaults(port, path) : portNameFaults(port, path)
}
