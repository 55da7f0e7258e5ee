import jsonpatch from 'fast-json-patch'
import { ApiError, badRequest } from '../../api/status.ts'
import { isObject, type JsonObject } from '../../base/json.ts'
import { isDeeperThan } from '../content.ts'

/**
 * RFC 6902. The target is not changed. Bounded against hostile patches: the number of operations, the size of all that
 * is copied (each `copy` can double a document, CVE-2019-1002100) and the depth of the result.
 */
const OPERATIONS_MAX = 10_000
const COPIED_CHARS_MAX = 3 * 1024 * 1024
const DEPTH_MAX = 1000

const OPERATIONS = new Set(['add', 'remove', 'replace', 'move', 'copy', 'test'])
const WITH_VALUE = new Set(['add', 'replace', 'test'])
const WITH_FROM = new Set(['move', 'copy'])

/** Throws BadRequest for what is no patch, Invalid for one that does not fit the object. Quotes no values. */
export function jsonPatch(target: object, patch: unknown): unknown {
  if (!Array.isArray(patch))
    throw badRequest('error decoding patch: a JSON patch must be a list of operations')
  if (patch.length > OPERATIONS_MAX)
    throw tooLarge(`The allowed maximum operations in a JSON patch is ${OPERATIONS_MAX}, got ${patch.length}`)
  patch.forEach(checkForm)
  let document: unknown = structuredClone(target)
  let copied = 0
  let deepest = DEPTH_MAX
  patch.forEach((operation: jsonpatch.Operation, index) => {
    if (!OPERATIONS.has(operation.op)) throw refused(index, `Unexpected kind: ${operation.op}`)
    if (operation.op === 'copy') {
      copied += sizeAt(document, operation.from)
      if (copied > COPIED_CHARS_MAX)
        throw tooLarge(
          `Unable to complete the copy, the accumulated size increase of copy is ${copied}, exceeding the limit ${COPIED_CHARS_MAX}`,
        )
    }
    document = perform(document, operation, index)
    // Nesting grows by the length of the path and of what is put there; only then is it worth a look.
    if (operation.op === 'copy' || operation.op === 'move' || operation.path.length > DEPTH_MAX) {
      deepest += operation.path.split('/').length
      if (deepest > 2 * DEPTH_MAX) {
        if (isDeeperThan(document, DEPTH_MAX)) throw tooDeep(index)
        deepest = DEPTH_MAX
      }
    }
  })
  if (isDeeperThan(document, DEPTH_MAX)) throw tooDeep(patch.length - 1)
  return document
}

function checkForm(operation: unknown, index: number): void {
  const missing = isObject(operation) ? missingMember(operation) : 'object'
  if (missing !== undefined) throw badRequest(`error decoding patch: operation ${index} has no ${missing}`)
}

function missingMember(operation: JsonObject): string | undefined {
  const { op, path, from } = operation
  if (typeof op !== 'string') return '"op"'
  if (typeof path !== 'string') return '"path"'
  if (WITH_FROM.has(op) && typeof from !== 'string') return '"from"'
  return WITH_VALUE.has(op) && operation['value'] === undefined ? '"value"' : undefined
}

/** Values are cloned: the library puts them into the document as they are, and changes the document in place. */
function perform(document: unknown, operation: jsonpatch.Operation, index: number): unknown {
  try {
    return jsonpatch.applyOperation(document, structuredClone(operation), true, true, true).newDocument
  } catch (error) {
    throw refused(index, reasonOf(error), error)
  }
}

function sizeAt(document: unknown, pointer: string): number {
  try {
    return JSON.stringify(jsonpatch.getValueByPointer(document, pointer) ?? null).length
  } catch {
    return 0
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof jsonpatch.JsonPatchError) return error.message.split('\n')[0] ?? error.name
  return error instanceof TypeError && error.message.includes('banned')
    ? 'the path may not lead through __proto__ or constructor/prototype'
    : 'the path does not fit the object'
}

/** Kubernetes says no more than the first sentence; the cause says which operation and why. */
function refused(index: number, why: string, cause?: unknown): ApiError {
  return new ApiError('Invalid', 'the server rejected our request due to an error in our request', {
    cause,
    causes: [{ reason: 'FieldValueInvalid', message: why, field: `patch[${index}]` }],
  })
}

function tooDeep(index: number): ApiError {
  return refused(index, `the object would be nested more than ${DEPTH_MAX} levels deep`)
}

function tooLarge(message: string): ApiError {
  return new ApiError('RequestEntityTooLarge', message)
}
