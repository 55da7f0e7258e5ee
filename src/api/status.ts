import type { Resource } from './resource.ts'

/** The reasons a request can fail, and the HTTP code each travels as (metav1.StatusReason). */
export const STATUS_CODES = {
  BadRequest: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  MethodNotAllowed: 405,
  NotAcceptable: 406,
  AlreadyExists: 409,
  Conflict: 409,
  Expired: 410,
  RequestEntityTooLarge: 413,
  UnsupportedMediaType: 415,
  Invalid: 422,
  TooManyRequests: 429,
  InternalError: 500,
  ServerTimeout: 500,
  ServiceUnavailable: 503,
  Timeout: 504,
} as const

export type StatusReason = keyof typeof STATUS_CODES

/** One field's fault. `reason` is Kubernetes' CauseType: FieldValueInvalid, FieldValueRequired, FieldManagerConflict … */
export interface StatusCause {
  readonly reason: string
  readonly message: string
  /** e.g. spec.template.spec.containers[0].image */
  readonly field?: string
}

export interface StatusDetails {
  readonly name?: string
  readonly group?: string
  /** The resource (plural) for most reasons, the kind for Invalid; as Kubernetes does. */
  readonly kind?: string
  readonly uid?: string
  readonly retryAfterSeconds?: number
}

/** metav1.Status as it travels. */
export interface Status {
  readonly kind: 'Status'
  readonly apiVersion: 'v1'
  readonly metadata: { readonly continue?: string }
  readonly status: 'Success' | 'Failure'
  readonly message?: string
  readonly reason?: string
  readonly details?: StatusDetails & { readonly causes?: readonly StatusCause[] }
  readonly code?: number
}

interface ApiErrorOptions extends ErrorOptions {
  readonly causes?: readonly StatusCause[]
  readonly details?: StatusDetails
  /** A fresh continue token, with Expired on a list. */
  readonly continue?: string
}

/** The one error class that crosses a folder boundary. Everything else is a bug or somebody else's error. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly reason: StatusReason
  readonly causes: readonly StatusCause[]
  readonly details: StatusDetails | undefined
  readonly continue: string | undefined

  constructor(reason: StatusReason, message: string, options: ApiErrorOptions = {}) {
    super(message, options)
    this.reason = reason
    this.causes = options.causes ?? []
    this.details = options.details
    this.continue = options.continue
  }

  get code(): number {
    return STATUS_CODES[this.reason]
  }

  toStatus(): Status {
    const details =
      this.details || this.causes.length > 0
        ? { details: { ...this.details, ...(this.causes.length > 0 ? { causes: this.causes } : {}) } }
        : {}
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: this.continue === undefined ? {} : { continue: this.continue },
      status: 'Failure',
      message: this.message,
      reason: this.reason,
      ...details,
      code: this.code,
    }
  }

  /** The error a Failure Status stands for; an unknown reason becomes InternalError, its words kept. */
  static fromStatus(status: Status): ApiError {
    const reason =
      status.reason !== undefined && status.reason in STATUS_CODES
        ? (status.reason as StatusReason)
        : 'InternalError'
    const { causes, ...details } = status.details ?? {}
    return new ApiError(reason, status.message ?? reason, {
      ...(causes ? { causes } : {}),
      details,
      ...(status.metadata?.continue === undefined ? {} : { continue: status.metadata.continue }),
    })
  }
}

interface Named {
  readonly group: string
  readonly plural: string
}

/** `deployments.apps`, or `pods` of the core group: how messages name a resource. */
export function qualified(kind: Named): string {
  return kind.group === '' ? kind.plural : `${kind.plural}.${kind.group}`
}

function detailsOf(kind: Named, name: string): StatusDetails {
  return {
    ...(name === '' ? {} : { name }),
    ...(kind.group === '' ? {} : { group: kind.group }),
    kind: kind.plural,
  }
}

export function notFound(kind: Named, name: string): ApiError {
  return new ApiError('NotFound', `${qualified(kind)} "${name}" not found`, {
    details: detailsOf(kind, name),
  })
}

export function alreadyExists(kind: Named, name: string): ApiError {
  return new ApiError('AlreadyExists', `${qualified(kind)} "${name}" already exists`, {
    details: detailsOf(kind, name),
  })
}

export const OPTIMISTIC_LOCK_MESSAGE =
  'the object has been modified; please apply your changes to the latest version and try again'

export function conflict(kind: Named, name: string, why: string = OPTIMISTIC_LOCK_MESSAGE): ApiError {
  return new ApiError('Conflict', `Operation cannot be fulfilled on ${qualified(kind)} "${name}": ${why}`, {
    details: detailsOf(kind, name),
  })
}

export function forbidden(kind: Named, name: string, why: string): ApiError {
  return new ApiError('Forbidden', `${qualified(kind)} "${name}" is forbidden: ${why}`, {
    details: detailsOf(kind, name),
  })
}

/** 422 from field faults, worded as Kubernetes: `Deployment.apps "web" is invalid: spec.replicas: Invalid value: -1: must be …`. */
export function invalid(
  kind: { readonly group: string; readonly kind: string },
  name: string,
  causes: readonly StatusCause[],
): ApiError {
  const lines = causes.map((cause) => (cause.field ? `${cause.field}: ${cause.message}` : cause.message))
  const text = lines.length === 1 ? lines[0] : `[${lines.join(', ')}]`
  const title = kind.group === '' ? kind.kind : `${kind.kind}.${kind.group}`
  return new ApiError('Invalid', `${title} "${name}" is invalid: ${text}`, {
    causes,
    details: {
      ...(name === '' ? {} : { name }),
      ...(kind.group === '' ? {} : { group: kind.group }),
      kind: kind.kind,
    },
  })
}

export function badRequest(message: string): ApiError {
  return new ApiError('BadRequest', message)
}

export function expired(message: string, options: { continue?: string } = {}): ApiError {
  return new ApiError('Expired', message, options)
}

export function isReason(error: unknown, reason: StatusReason): boolean {
  return error instanceof ApiError && error.reason === reason
}

/** Of a create: its namespace is on its way out, and nothing new will ever be let in. */
export function isNamespaceTerminating(error: unknown): boolean {
  return error instanceof ApiError && error.causes.some(({ reason }) => reason === 'NamespaceTerminating')
}

/** The field faults of validation, in Kubernetes' words (field.ErrorList). `message` excludes the field path. */
export const fault = {
  required: (field: string, detail = ''): StatusCause => ({
    reason: 'FieldValueRequired',
    message: detail === '' ? 'Required value' : `Required value: ${detail}`,
    field,
  }),
  invalid: (field: string, value: unknown, detail: string): StatusCause => ({
    reason: 'FieldValueInvalid',
    message: `Invalid value: ${show(value)}${detail === '' ? '' : `: ${detail}`}`,
    field,
  }),
  notSupported: (field: string, value: unknown, supported: readonly string[]): StatusCause => ({
    reason: 'FieldValueNotSupported',
    message: `Unsupported value: ${show(value)}: supported values: ${[...supported].sort().map(show).join(', ')}`,
    field,
  }),
  duplicate: (field: string, value: unknown): StatusCause => ({
    reason: 'FieldValueDuplicate',
    message: `Duplicate value: ${show(value)}`,
    field,
  }),
  forbidden: (field: string, detail: string): StatusCause => ({
    reason: 'FieldValueForbidden',
    message: `Forbidden: ${detail}`,
    field,
  }),
  notFound: (field: string, value: unknown): StatusCause => ({
    reason: 'FieldValueNotFound',
    message: `Not found: ${show(value)}`,
    field,
  }),
  tooLong: (field: string, max: number): StatusCause => ({
    reason: 'FieldValueTooLong',
    message: `Too long: may not be more than ${max} bytes`,
    field,
  }),
  tooMany: (field: string, actual: number, max: number): StatusCause => ({
    reason: 'FieldValueTooMany',
    message: `Too many: ${actual}: must have at most ${max} items`,
    field,
  }),
  typeInvalid: (field: string, value: unknown, detail: string): StatusCause => ({
    reason: 'FieldValueTypeInvalid',
    message: `Invalid value: ${show(value)}: ${detail}`,
    field,
  }),
} as const

function show(value: unknown): string {
  return JSON.stringify(value) ?? 'null'
}

/** What a delete answers when nothing is left of the object. */
export function successStatus(kind: Named, resource: Resource): Status {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: {
      ...detailsOf(kind, resource.metadata.name),
      ...(resource.metadata.uid ? { uid: resource.metadata.uid } : {}),
    },
  }
}
