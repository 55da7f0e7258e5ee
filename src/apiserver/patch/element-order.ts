import { badRequest } from '../../api/status.ts'
import { isObject, type JsonObject } from '../../base/json.ts'
import { member } from './typed.ts'

/**
 * Where the items of a merged list stand (strategic merge patch). Items named by the patch, or by its
 * $setElementOrder, keep the patch's order; the server's own keep theirs. Both are merged from left to right: the
 * server's next item comes first only if it stood before the patch's next item in the original.
 *
 *   original [a, b, c], patch [d, b]  ->  [d, a, b, c]
 */
export function placed(
  list: readonly unknown[],
  order: readonly unknown[],
  original: readonly unknown[],
  key: string | undefined,
): unknown[] {
  const rank = ranks(order, key)
  const named = list.filter((item) => rank.has(identity(item, key)))
  if (named.length === 0) return [...list]
  const stood = ranks(original, key)
  const own = list.filter((item) => !rank.has(identity(item, key)))
  const rankOf = (item: unknown) => rank.get(identity(item, key)) ?? 0
  named.sort((a, b) => rankOf(a) - rankOf(b))
  const result: unknown[] = []
  let next = 0
  for (const item of named) {
    const at = stood.get(identity(item, key))
    while (at !== undefined && next < own.length && isBefore(stood.get(identity(own[next], key)), at)) {
      result.push(own[next])
      next += 1
    }
    result.push(item)
  }
  return [...result, ...own.slice(next)]
}

function isBefore(place: number | undefined, other: number): boolean {
  return place !== undefined && place < other
}

/** The items of a patch must stand in the order it asks for. Throws BadRequest. */
export function checkOrder(
  order: readonly unknown[],
  patch: readonly unknown[],
  key: string | undefined,
): void {
  const items = patch.filter((item) => !(isObject(item) && Object.hasOwn(item, '$patch')))
  let next = 0
  for (const element of order)
    if (next < items.length && identity(items[next], key) === identity(element, key)) next += 1
  if (next < items.length)
    throw badRequest(
      "The order in patch list doesn't match $setElementOrder list: an item is not in it, or elsewhere",
    )
}

function ranks(list: readonly unknown[], key: string | undefined): ReadonlyMap<unknown, number> {
  const places = new Map<unknown, number>()
  list.forEach((item, i) => {
    const id = identity(item, key)
    if (!places.has(id)) places.set(id, i)
  })
  return places
}

/** Scalars are what they are; an object without the merge key is only itself. */
function identity(item: unknown, key: string | undefined): unknown {
  return key !== undefined && isObject(item) ? (member(item as JsonObject, key) ?? item) : item
}
