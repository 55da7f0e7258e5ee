import type { AnyResource } from '../api/resource.ts'
import type { Place } from './progress.ts'
import type { lineTable, YamlDocument } from './yaml.ts'

/** One object as it stands in a file, and where each of its fields stands. */
export interface Manifest {
  readonly object: AnyResource
  readonly file: string
  /** Of the object, from 1. */
  readonly line: number
  /** The place of a field path as Kubernetes writes it ("spec.containers[0].image"), or of the nearest field above. */
  placeOf(field: string | undefined, message: string): Place
}

/** `root` is the JSON pointer of the object in its document: "" or "/items/3". Places are found when asked for. */
export function manifestOf(
  object: AnyResource,
  file: string,
  lines: ReturnType<typeof lineTable>,
  document: YamlDocument,
  root: string,
): Manifest {
  const placeAt = (pointer: string): { readonly line: number; readonly column: number } => {
    for (let at = pointer; at !== '' || root === ''; at = at.slice(0, at.lastIndexOf('/'))) {
      const offset = at === '' ? document.start : document.offsets.get(at)
      if (offset !== undefined) return lines(offset)
      if (at.length <= root.length) break
    }
    return lines(document.start)
  }
  return {
    object,
    file,
    get line() {
      return placeAt(root).line
    },
    placeOf: (field, message) => ({ file, ...placeAt(root + pointerOf(object, field ?? '')), message }),
  }
}

/**
 * "spec.containers[0].image" -> "/spec/containers/0/image". Keys may hold dots: the longest one that fits is taken
 * ("metadata.annotations.seamark.dev/prune"). The walk ends where the object does.
 */
function pointerOf(object: unknown, field: string): string {
  let pointer = ''
  let value = object
  let steps = field.split(/\.|(?=\[)/).filter((step) => step !== '')
  while (steps.length > 0) {
    const members = value as Readonly<Record<string, unknown>> | null | undefined
    if (typeof members !== 'object' || members === null) break
    let length = steps.length
    let name = ''
    for (; length > 0; length -= 1) {
      name = steps
        .slice(0, length)
        .join('.')
        .replace(/^\[(.*)\]$/, '$1')
      if (Object.hasOwn(members, name)) break
    }
    if (length === 0) break
    pointer += `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
    value = members[name]
    steps = steps.slice(length)
  }
  return pointer
}
