import type { AnyKind } from '../../api/kind.ts'
import { ApiError, STATUS_CODES, type StatusReason } from '../../api/status.ts'
import { isObject } from '../../base/json.ts'
import type { AdmissionRequest } from '../admission/admission.ts'
import { objectsIn } from './subject.ts'

/** The `request` of an AdmissionReview. */
export function reviewRequest(request: AdmissionRequest, form: AnyKind, uid: string): object {
  const { context, kind, operation, subresource, object } = request
  const kindOf = ({ group, version, kind: name }: AnyKind) => ({ group, version, kind: name })
  const resourceOf = ({ group, version, plural }: AnyKind) => ({ group, version, resource: plural })
  const { name, uid: userUid, groups, extra } = context.user
  const sub = subresource === '' ? {} : { subResource: subresource, requestSubResource: subresource }
  const { metadata } = object
  return {
    uid,
    kind: kindOf(form),
    resource: resourceOf(form),
    ...sub,
    requestKind: kindOf(kind),
    requestResource: resourceOf(kind),
    ...(metadata.name ? { name: metadata.name } : {}),
    ...(metadata.namespace ? { namespace: metadata.namespace } : {}),
    operation,
    userInfo: { username: name, ...(userUid ? { uid: userUid } : {}), groups, ...(extra ? { extra } : {}) },
    ...objectsIn(request, form),
    dryRun: context.dryRun,
    options: optionsOf(request),
  }
}

function optionsOf({ operation, context }: AdmissionRequest): object {
  const names = { CREATE: 'CreateOptions', UPDATE: 'UpdateOptions', DELETE: 'DeleteOptions' } as const
  return {
    apiVersion: 'meta.k8s.io/v1',
    kind: names[operation],
    ...(context.dryRun ? { dryRun: ['All'] } : {}),
    ...(operation === 'DELETE' ? {} : { fieldManager: context.fieldManager }),
  }
}

export interface ReviewAnswer {
  readonly allowed: boolean
  readonly status: Readonly<Record<string, unknown>>
  /** JSON Patch operations. */
  readonly patch: unknown
  readonly warnings: readonly string[]
}

/** Reads an AdmissionReview that a webhook answered; throws an Error that says what is wrong with it. */
export function readReview(body: unknown, uid: string): ReviewAnswer {
  const of = (value: unknown, name: string) => (isObject(value) ? value[name] : undefined)
  const apiVersion = of(body, 'apiVersion')
  const kind = of(body, 'kind')
  if (apiVersion !== 'admission.k8s.io/v1' || kind !== 'AdmissionReview')
    throw new Error(
      `expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got ${String(apiVersion ?? '')}, Kind=${String(kind ?? '')}`,
    )
  const response = of(body, 'response')
  if (!isObject(response)) throw new Error('webhook response was absent')
  if (response['uid'] !== uid)
    throw new Error(
      `expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response['uid'] ?? '')}`,
    )
  const { patch, patchType, warnings, status } = response
  if (typeof patch === 'string' && patchType !== 'JSONPatch')
    throw new Error(
      `webhook returned response.patch but response.patchType is ${JSON.stringify(patchType ?? '')}, not "JSONPatch"`,
    )
  return {
    allowed: response['allowed'] === true,
    status: isObject(status) ? status : {},
    patch: typeof patch === 'string' && patch !== '' ? readPatch(patch) : undefined,
    warnings: Array.isArray(warnings) ? warnings.filter((warning) => typeof warning === 'string') : [],
  }
}

function readPatch(base64: string): unknown {
  try {
    return JSON.parse(Buffer.from(base64, 'base64').toString('utf8'))
  } catch {
    throw new Error('webhook returned response.patch that is not JSON in base64')
  }
}

/** What the client is told of a refusal: never a code below 400. */
export function refusal(webhook: string, status: Readonly<Record<string, unknown>>): ApiError {
  const denied = `admission webhook ${JSON.stringify(webhook)} denied the request`
  const { message, reason, code } = status
  const detail = [message, reason].find((text) => typeof text === 'string' && text !== '')
  const known =
    typeof reason === 'string' && Object.hasOwn(STATUS_CODES, reason) ? (reason as StatusReason) : undefined
  const byCode = Object.entries(STATUS_CODES).find(([, each]) => each === code)?.[0] as
    | StatusReason
    | undefined
  return new ApiError(
    known ?? byCode ?? 'BadRequest',
    detail === undefined ? `${denied} without explanation` : `${denied}: ${String(detail)}`,
  )
}
