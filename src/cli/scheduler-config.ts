import { readFileSync } from 'node:fs'
import type { AnyResource } from '../api/resource.ts'
import { badRequest } from '../api/status.ts'
import { isObject } from '../base/json.ts'
import { readConfiguration, type SchedulerConfiguration } from '../scheduler/configuration.ts'
import { plugins } from '../scheduler/plugins/index.ts'
import { manifestOf } from '../sync/manifest.ts'
import { lineTable, parseYaml } from '../sync/yaml.ts'

/** Reads a KubeSchedulerConfiguration. Throws BadRequest with every fault as FILE:LINE:COLUMN. */
export function readSchedulerConfig(file: string): SchedulerConfiguration {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw badRequest(
      `Cannot read --scheduler-config "${file}": ${(error as NodeJS.ErrnoException).code ?? error}`,
    )
  }
  const [document, more] = parsed(file, text)
  if (!document || more || !isObject(document.value))
    throw badRequest(`${file}: one KubeSchedulerConfiguration is wanted, and nothing else`)
  const result = readConfiguration(document.value, plugins)
  if ('configuration' in result) return result.configuration
  const places = manifestOf(document.value as unknown as AnyResource, file, lineTable(text), document, '')
  throw badRequest(
    result.faults
      .map(({ field, message }) => {
        const { line, column } = places.placeOf(field, message)
        return `${file}:${line}:${column}: ${field ? `${field}: ` : ''}${message}`
      })
      .join('\n'),
  )
}

function parsed(file: string, text: string) {
  try {
    return parseYaml(text, file)
  } catch (error) {
    const { reason, mark } = error as {
      readonly reason?: string
      readonly mark?: { line: number; column: number }
    }
    const place = mark ? `:${mark.line + 1}:${mark.column + 1}` : ''
    throw badRequest(`${file}${place}: ${reason ?? String(error)}`)
  }
}
