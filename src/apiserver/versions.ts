import type { AnyKind } from '../api/kind.ts'
import type { AnyResource } from '../api/resource.ts'
import { deepFreeze } from '../base/json.ts'
import type { KindTable } from './kind-table.ts'
import { type OtherVersion, trackUpdate, type WriterOptions, withEntries } from './patch/managed-fields.ts'

/**
 * Kinds that are served in several versions. Objects are stored in the form of one of them; the others see the same
 * objects through two pure functions (Kind.storedAs). A stored object is converted once for each version, whoever asks.
 */
export function storedKind(kind: AnyKind): AnyKind {
  return kind.storedAs?.kind ?? kind
}

const shown = new WeakMap<AnyResource, Map<AnyKind, AnyResource>>()

/** A stored object as this kind shows it; the very object for a built-in kind whose form is stored. */
export function showAs(kind: AnyKind, stored: AnyResource): AnyResource {
  const read = kind.storedAs?.fromStored ?? kind.custom?.readStored
  if (!read) return stored
  let forms = shown.get(stored)
  if (!forms) {
    forms = new Map()
    shown.set(stored, forms)
  }
  let form = forms.get(kind)
  if (!form) {
    form = deepFreeze(read(stored) as AnyResource)
    forms.set(kind, form)
  }
  return form
}

/** An object of this kind as it is stored. */
export function toStored(kind: AnyKind, resource: AnyResource): AnyResource {
  return kind.storedAs ? (kind.storedAs.toStored(resource) as AnyResource) : resource
}

/** From the form of one version to that of another of the same objects. */
export function convert(from: AnyKind, to: AnyKind, resource: AnyResource): AnyResource {
  return from === to ? resource : showAs(to, toStored(from, resource))
}

/** What the tracking of field managers asks of a kind that is written to: its other versions. */
export function otherVersions(
  kind: AnyKind,
  kinds: KindTable,
): (apiVersion: string) => OtherVersion | undefined {
  return (apiVersion) => {
    const other = kinds.byKind(apiVersion, kind.kind)
    if (!other || other === kind || storedKind(other) !== storedKind(kind)) return undefined
    return {
      schema: other.schema,
      of: (object) => convert(kind, other, object),
      // What pruning has left may lack what conversion takes for given.
      back: (object) => convert(other, kind, other.setDefaults(object) as AnyResource),
    }
  }
}

/** Who owns which fields after a write, kept in the stored object and told in the words of the version written in. */
export function trackAs(
  kind: AnyKind,
  live: AnyResource | undefined,
  object: AnyResource,
  options: WriterOptions & { readonly hasStatus: boolean },
): AnyResource {
  if (!kind.storedAs) return trackUpdate(live, object, options)
  const { managedFields } = trackUpdate(live && showAs(kind, live), showAs(kind, object), options).metadata
  return withEntries(object, managedFields)
}
