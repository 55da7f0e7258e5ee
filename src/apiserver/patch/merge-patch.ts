import { badRequest } from '../../api/status.ts'
import { defineKey, isObject } from '../../base/json.ts'

const DEPTH_MAX = 1000

/**
 * RFC 7386: null removes, objects merge, everything else replaces. The target is not changed; what the patch does not
 * touch is shared with it. Throws BadRequest for a patch nested more than 1000 levels deep.
 */
export function mergePatch(target: unknown, patch: unknown): unknown {
  return merge(target, patch, 0)
}

function merge(target: unknown, patch: unknown, depth: number): unknown {
  if (!isObject(patch)) return patch
  if (depth > DEPTH_MAX) throw badRequest(`the patch is nested more than ${DEPTH_MAX} levels deep`)
  const result: Record<string, unknown> = isObject(target) ? { ...target } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key]
    else defineKey(result, key, merge(Object.hasOwn(result, key) ? result[key] : undefined, value, depth + 1))
  }
  return result
}
