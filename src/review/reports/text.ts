import type { Review } from '../finding.ts'

/** file:line:column: severity: message [rule], as compilers print, and a count. */
export function textReport({ findings, objects, files }: Review): string {
  const lines = findings.map(
    ({ file, line, column, severity, message, rule }) =>
      `${file}:${line}:${column}: ${severity}: ${message} [${rule}]`,
  )
  const errors = findings.filter(({ severity }) => severity === 'error').length
  const summary = `${objects} objects in ${files} files: ${errors === 0 ? 'no errors' : `${errors} error${errors === 1 ? '' : 's'}`}${findings.length > errors ? `, ${findings.length - errors} warnings` : ''}`
  return [...lines, summary].join('\n')
}
