import { createWriteStream, type WriteStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { ApiError } from '../../api/status.ts'
import { formatMicroTime } from '../../base/date.ts'
import type { Env } from '../../base/env.ts'
import { isObject } from '../../base/json.ts'
import type { Attributes } from '../auth/attributes.ts'
import type { User } from '../auth/authenticate.ts'
import type { Exchange } from '../exchange.ts'
import { type AuditDecision, type AuditPolicy, decideAudit, type Stage } from './audit-policy.ts'

/**
 * Who asked what of the API over the network, one JSON line (audit.k8s.io/v1 Event) per request and stage. Written
 * behind the answers: a disk that is slow delays no request, and what it cannot take is counted and left out.
 */
export class AuditLog {
  readonly #env: Env
  readonly #policy: AuditPolicy
  readonly #file: WriteStream
  #lost = 0

  /** Use `openAuditLog`, which says what is wrong with the file. */
  constructor(env: Env, policy: AuditPolicy, path: string) {
    this.#env = env
    this.#policy = policy
    this.#file = createWriteStream(path, { flags: 'a', mode: 0o600 })
    this.#file.on('error', (error) => env.log.error({ err: error }, 'the audit log cannot be written'))
    env.metrics.gauge(
      'apiserver_audit_error_total',
      'Audit events that could not be written.',
      [],
      () => this.#lost,
    )
  }

  /** Undefined for a request that is not to be written down. */
  begin(exchange: Exchange, attributes: Attributes, asker: User): AuditRecord | undefined {
    const decision = decideAudit(this.#policy, attributes)
    if (decision.level === 'None') return undefined
    const record = new AuditRecord(this.#env, this, { exchange, attributes, asker, decision })
    record.write('RequestReceived')
    return record
  }

  append(event: object): void {
    if (this.#file.destroyed || this.#file.writableLength > BUFFER_MAX) this.#lost += 1
    else this.#file.write(`${JSON.stringify(event)}\n`)
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#file.destroyed) resolve()
      else this.#file.end(() => resolve())
    })
  }
}

/** Appends to the file, which is made readable by its owner only; throws Forbidden when it cannot be written. */
export async function openAuditLog(env: Env, policy: AuditPolicy, path: string): Promise<AuditLog> {
  try {
    await (await open(path, 'a', 0o600)).close()
  } catch (error) {
    throw new ApiError('Forbidden', `Cannot write the audit log ${path}: ${(error as Error).message}`, {
      cause: error,
    })
  }
  return new AuditLog(env, policy, path)
}

const BUFFER_MAX = 16 * 1024 * 1024

interface Recorded {
  readonly exchange: Exchange
  readonly attributes: Attributes
  /** Who sent it; `attributes.user` is who they act as. */
  readonly asker: User
  readonly decision: AuditDecision
}

/** One request on its way. */
export class AuditRecord {
  readonly #env: Env
  readonly #log: AuditLog
  readonly #recorded: Recorded
  readonly #id: string
  readonly #receivedAt: number

  constructor(env: Env, log: AuditLog, recorded: Recorded) {
    this.#env = env
    this.#log = log
    this.#recorded = recorded
    this.#id = env.random.uuid()
    this.#receivedAt = env.clock.now()
    const { exchange, decision } = recorded
    exchange.response.setHeader('audit-id', this.#id)
    exchange.keep({
      request: decision.level !== 'Metadata',
      response: decision.level === 'RequestResponse',
    })
  }

  write(stage: Stage, allowed?: { readonly decision: string; readonly reason: string }): void {
    const { exchange, attributes, asker, decision } = this.#recorded
    if (decision.omitStages.includes(stage)) return
    const { request, response } = exchange
    const strip = (value: unknown) => (decision.omitManagedFields ? withoutManagedFields(value) : value)
    const isOver = stage === 'ResponseComplete'
    const { user } = attributes
    this.#log.append({
      kind: 'Event',
      apiVersion: 'audit.k8s.io/v1',
      level: decision.level,
      auditID: this.#id,
      stage,
      requestURI: request.url,
      verb: attributes.verb,
      user: userInfo(asker),
      ...(user === asker ? {} : { impersonatedUser: userInfo(user) }),
      sourceIPs: [exchange.socket.remoteAddress ?? ''],
      userAgent: exchange.header('user-agent') ?? '',
      ...(attributes.type === 'resource' ? { objectRef: objectRef(attributes) } : {}),
      ...(stage === 'RequestReceived' ? {} : { responseStatus: { metadata: {}, code: response.statusCode } }),
      ...(isOver && exchange.received !== undefined ? { requestObject: strip(exchange.received) } : {}),
      ...(isOver && exchange.answered !== undefined ? { responseObject: strip(exchange.answered) } : {}),
      requestReceivedTimestamp: formatMicroTime(this.#receivedAt),
      stageTimestamp: formatMicroTime(this.#env.clock.now()),
      ...(allowed
        ? {
            annotations: {
              'authorization.k8s.io/decision': allowed.decision,
              'authorization.k8s.io/reason': allowed.reason,
            },
          }
        : {}),
    })
  }
}

function userInfo({ name, uid, groups, extra }: User): object {
  return { username: name, ...(uid ? { uid } : {}), groups, ...(extra ? { extra } : {}) }
}

function objectRef(attributes: Extract<Attributes, { type: 'resource' }>): object {
  const { resource, namespace, name, group, version, subresource } = attributes
  return {
    resource,
    ...(namespace ? { namespace } : {}),
    ...(name ? { name } : {}),
    ...(group ? { apiGroup: group } : {}),
    apiVersion: version,
    ...(subresource ? { subresource } : {}),
  }
}

function withoutManagedFields(value: unknown): unknown {
  if (!isObject(value)) return value
  const { metadata, items } = value
  return {
    ...value,
    ...(isObject(metadata) ? { metadata: { ...metadata, managedFields: undefined } } : {}),
    ...(Array.isArray(items) ? { items: items.map(withoutManagedFields) } : {}),
  }
}
