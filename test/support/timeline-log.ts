import type { AnyKind } from '../../src/api/kind.ts'
import type { EndpointSlice } from '../../src/api/kinds/endpoint-slice.ts'
import { kinds } from '../../src/api/kinds/index.ts'
import { controllerOf, type Resource } from '../../src/api/resource.ts'
import { ApiError } from '../../src/api/status.ts'
import type { Store } from '../../src/apiserver/store/store.ts'
import type { VirtualClock } from '../../src/base/virtual-clock.ts'

/** In the order in which changes of one instant are told. */
const TOLD = [
  'Namespace',
  'Node',
  'NodePool',
  'ResourceQuota',
  'Fault',
  'CronJob',
  'Job',
  'HorizontalPodAutoscaler',
  'PodDisruptionBudget',
  'Deployment',
  'ReplicationController',
  'ReplicaSet',
  'StatefulSet',
  'DaemonSet',
  'PersistentVolumeClaim',
  'PersistentVolume',
  'ServiceCIDR',
  'Service',
  'Ingress',
  'EndpointSlice',
  'Pod',
  'ConfigMap',
]
const NOT_TOLD = /kube-root-ca\.crt|^(default|kubernetes|kube-[a-z-]+|seamark[a-z-]*)$/
const UID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g
/** Columns that say again what the manifest says, or pass with the time. */
const DULL = new Set([
  'Name',
  'Age',
  'Reference',
  'Roles',
  'Version',
  'VolumeAttributesClass',
  'Node Selector',
  'Cluster-IP',
  'Port(s)',
  'Ports',
  'Endpoints',
])

interface Told {
  readonly order: string
  readonly line: string
}

interface EventLike extends Resource {
  readonly involvedObject: { readonly kind?: string; readonly name?: string; readonly namespace?: string }
  readonly reason?: string
  readonly message?: string
  readonly type?: string
  readonly count?: number
}

/** Turns the writes of a store into lines: what kubectl would print of an object, whenever that changes, and events. */
export class TimelineLog {
  readonly #clock: VirtualClock
  readonly #startAt: number
  readonly #lines: string[] = []
  readonly #shown = new Map<string, string>()
  readonly #aliases = new Map<string, string>()
  readonly #counts = new Map<string, number>()
  #instant: Map<string, Told> = new Map()
  #instantAt = 0
  #isOn = false

  constructor(clock: VirtualClock, startAt: number) {
    this.#clock = clock
    this.#startAt = startAt
  }

  async follow(store: Store, signal: AbortSignal): Promise<void> {
    for await (const { changes } of store.watch({ prefix: '/registry/', after: store.revision, signal })) {
      for (const { type, key, value } of changes) this.#tell(key, value as Resource, type === 'delete')
    }
  }

  /** What was before is known and not told. */
  begin(): void {
    this.#isOn = true
  }

  /** A line about what the scenario does. */
  say(line: string): void {
    this.#flush()
    this.#lines.push(`${this.#stamp(this.#clock.now())} ${line}`)
  }

  /** Says what the API server answers when it refuses; other errors are thrown. */
  async refusals(action: () => Promise<unknown>): Promise<void> {
    try {
      await action()
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      this.say(`! ${error.code} ${error.reason}: ${this.#renamed(error.message)}`)
    }
  }

  realName(alias: string): string {
    return [...this.#aliases].find(([, each]) => each === alias)?.[0] ?? alias
  }

  text(): string {
    this.#flush()
    return `${this.#lines.join('\n')}\n`
  }

  #tell(key: string, object: Resource, isGone: boolean): void {
    this.#name(object)
    const { name, namespace } = object.metadata
    if (object.kind === 'Event') {
      this.#tellEvent(object as EventLike, isGone)
      return
    }
    const rank = TOLD.indexOf(object.kind)
    if (rank < 0 || (object.kind !== 'Node' && NOT_TOLD.test(name)) || /^kube-/.test(namespace ?? '')) return
    const said = isGone ? 'gone' : describe(object, this.#clock.now())
    if (this.#shown.get(key) === said) return
    this.#shown.set(key, said)
    this.#add(key, {
      order: `${String(rank).padStart(2, '0')} ${this.#renamed(name)}`,
      line: `${object.kind} ${name} ${said}`,
    })
  }

  #tellEvent(
    { involvedObject: about, reason, message, type, count = 1, metadata }: EventLike,
    isGone: boolean,
  ) {
    if (isGone || /^kube-/.test(about.namespace ?? '') || TOLD.indexOf(about.kind ?? '') < 0) return
    const times = count > 1 ? ` x${count}` : ''
    const line = `  ${about.kind} ${about.name} ${type === 'Warning' ? 'warns ' : ''}${reason}${times}: ${message}`
    this.#add(`event ${metadata.name} ${count}`, { order: `9 ${this.#renamed(line)}`, line })
  }

  /** Two runs must give one text, so names that were drawn are counted: web-rs1-2 is the 2nd pod of web's 1st set. */
  #name(object: Resource): void {
    const { name, generateName } = object.metadata
    if (this.#aliases.has(name)) return
    const owner = controllerOf(object)
    const isHashed = object.kind === 'ReplicaSet' && owner?.kind === 'Deployment'
    if (!isHashed && (generateName === undefined || object.kind === 'Event')) return
    const stem = isHashed ? `${owner.name}-rs` : this.#renamed(generateName ?? '')
    const count = (this.#counts.get(stem) ?? 0) + 1
    this.#counts.set(stem, count)
    this.#aliases.set(name, `${stem}${count}`)
  }

  #renamed(line: string): string {
    let text = line.replaceAll(UID, '<uid>')
    const names = [...this.#aliases].sort(([a], [b]) => b.length - a.length)
    for (const [name, alias] of names) if (text.includes(name)) text = text.replaceAll(name, alias)
    return text
  }

  #add(key: string, told: Told): void {
    if (!this.#isOn) return
    if (this.#clock.now() !== this.#instantAt) this.#flush()
    this.#instantAt = this.#clock.now()
    this.#instant.set(key, told)
  }

  /** Changes of one instant are told in one order, whichever was drawn to come first. */
  #flush(): void {
    const told = [...this.#instant.values()].sort((a, b) => (a.order < b.order ? -1 : 1))
    for (const { line } of told) this.#lines.push(`${this.#stamp(this.#instantAt)} ${this.#renamed(line)}`)
    this.#instant = new Map()
  }

  #stamp(at: number): string {
    return `+${Math.round((at - this.#startAt) / 100) / 10}s`.padEnd(8)
  }
}

function describe(object: Resource, now: number): string {
  const kind = kinds.find((each: AnyKind) => each.kind === object.kind)
  const columns = (kind?.columns ?? [])
    .filter(({ name, type, priority }) => type !== 'date' && !priority && !DULL.has(name))
    .map(
      (column) =>
        `${column.name.toLowerCase().replaceAll(' ', '-')}=${column.value(object as never, now) ?? ''}`,
    )
  const { spec, status, metadata } = object as Resource & {
    spec?: { taints?: { key: string; effect: string }[]; nodeName?: string }
    status?: { conditions?: { type: string; status: string; reason?: string }[] }
  }
  const conditions = (status?.conditions ?? [])
    .filter(({ type }) => object.kind !== 'Pod' || /^(DisruptionTarget|PodScheduled)$/.test(type))
    .filter(({ type, status: is }) => !/Pressure$/.test(type) && !(type === 'PodScheduled' && is === 'True'))
    .map(({ type, status: is, reason }) => `${type}=${is}${reason ? `/${reason}` : ''}`)
  const taints = (spec?.taints ?? []).map(({ key, effect }) => `${key}:${effect}`)
  const where = object.kind === 'Pod' && spec?.nodeName ? [`on ${spec.nodeName}`] : []
  const ending = metadata.deletionTimestamp ? [`ending[${(metadata.finalizers ?? []).join(',')}]`] : []
  const endpoints = object.kind === 'EndpointSlice' ? [endpointsOf(object as EndpointSlice)] : []
  return [...columns, ...endpoints, ...where, ...conditions, ...taints, ...ending].join(' ')
}

/** "web-1 ready for zone-a, web-2 leaving": who, in which state, and for which zone. */
function endpointsOf({ endpoints = [] }: EndpointSlice): string {
  const each = endpoints.map(({ targetRef, addresses, conditions, hints }) => {
    const state = conditions?.ready
      ? 'ready'
      : conditions?.terminating
        ? conditions.serving
          ? 'leaving, serving'
          : 'leaving'
        : 'unready'
    const zones = (hints?.forZones ?? []).map(({ name }) => name).join()
    return `${targetRef?.name ?? addresses[0]} ${state}${zones ? ` for ${zones}` : ''}`
  })
  return `endpoints=[${each.join('; ')}]`
}
