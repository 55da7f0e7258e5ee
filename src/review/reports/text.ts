import type { Review } from '../finding.ts'

/** file:line:column: severity: resource: message [rule], as compilers print, and a count. */
export function textReport({ findings, objects, files }: Review): string {
  const lines = findings.map(
    ({ file, line, column, severity, message, rule, resource }) =>
      `${file}:${line}:${column}: ${severity}: ${resource === undefined ? '' : `${resource}: `}${message} [${rule}]`,
  )
  const errors = findings.filter(({ severity }) => severity === 'error').length
  const warnings = findings.length - errors
  const verdict = `${errors === 0 ? 'no errors' : count(errors, 'error')}${warnings > 0 ? `, ${count(warnings, 'warning')}` : ''}`
  return [...lines, `${count(objects, 'object')} in ${count(files, 'file')}: ${verdict}`].join('\n')
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`
}
