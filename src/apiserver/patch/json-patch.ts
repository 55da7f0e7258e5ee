import jsonpatch from 'fast-json-patch'
import { ApiError, badRequest } from '../../api/status.ts'

const OPERATIONS_MAX = 10_000
/** `copy` can double a document with each operation (CVE-2019-1002100). */
const GROWN_BYTES_MAX = 3 * 1024 * 1024

/** RFC 6902. Throws BadRequest for what is no patch, Invalid for one that does not fit the object. */
export function jsonPatch(target: object, patch: unknown): unknown {
  if (!Array.isArray(patch))
    throw badRequest(
      'error decoding patch: json: cannot unmarshal object into Go value of type jsonpatch.Patch',
    )
  if (patch.length > OPERATIONS_MAX) {
    throw new ApiError(
      'RequestEntityTooLarge',
      `The allowed maximum operations in a JSON patch is ${OPERATIONS_MAX}, got ${patch.length}`,
    )
  }
  const malformed = patch.find(
    (operation) =>
      typeof operation !== 'object' ||
      operation === null ||
      typeof operation.op !== 'string' ||
      typeof operation.path !== 'string',
  )
  if (malformed !== undefined)
    throw badRequest(
      `error decoding patch: ${JSON.stringify(malformed)?.slice(0, 200)} is not a JSON patch operation`,
    )
  let document = structuredClone(target) as unknown
  let copies = 0
  for (const operation of patch as jsonpatch.Operation[]) {
    try {
      document = jsonpatch.applyOperation(document, structuredClone(operation), true, true, true).newDocument
    } catch (error) {
      throw refused((error as Error).message, error)
    }
    if (operation.op === 'copy' && ++copies % 8 === 0 && JSON.stringify(document).length > GROWN_BYTES_MAX) {
      throw new ApiError(
        'RequestEntityTooLarge',
        'unable to apply JSON patch: the accumulated size of copied values is too large',
      )
    }
  }
  return document
}

function refused(message: string, cause: unknown): ApiError {
  return new ApiError('Invalid', 'the server rejected our request due to an error in our request', {
    cause,
    causes: [{ reason: 'FieldValueInvalid', message: message.split('\n')[0] ?? message, field: 'patch' }],
  })
}
