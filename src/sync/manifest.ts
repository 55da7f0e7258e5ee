import type { AnyResource } from '../api/resource.ts'
import type { Place } from './progress.ts'
import { lineColumn } from './yaml.ts'

/** One object as it stands in a file, and where each of its fields stands. */
export interface Manifest {
  readonly object: AnyResource
  readonly file: string
  /** Of the object, from 1. */
  readonly line: number
  /** The place of a field path as Kubernetes writes it ("spec.containers[0].image"), or of the nearest field above. */
  placeOf(field: string | undefined, message: string): Place
}

export function manifestOf(
  object: AnyResource,
  file: string,
  text: string,
  offsets: ReadonlyMap<string, number>,
  root: string,
): Manifest {
  const placeAt = (pointer: string): { readonly line: number; readonly column: number } => {
    for (let at = pointer; ; at = at.slice(0, at.lastIndexOf('/'))) {
      const offset = offsets.get(at)
      if (offset !== undefined) return lineColumn(text, offset)
      if (at.length <= root.length) return { line: 1, column: 1 }
    }
  }
  return {
    object,
    file,
    line: placeAt(root).line,
    placeOf: (field, message) => ({ file, ...placeAt(root + pointerOf(object, field ?? '')), message }),
  }
}

/** "spec.containers[0].image" -> "/spec/containers/0/image"; [key=…] and [name] steps end the walk. */
function pointerOf(object: unknown, field: string): string {
  let pointer = ''
  let value = object
  for (const step of field.replace(/^\./, '').split(/\.|(?=\[)/)) {
    if (step === '') continue
    const name = step.startsWith('[') ? step.slice(1, -1) : step
    const next = (value as Record<string, unknown> | undefined)?.[name]
    if (next === undefined) break
    pointer += `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
    value = next
  }
  return pointer
}
