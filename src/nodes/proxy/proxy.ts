import { type EndpointSlice, endpointSlice } from '../../api/kinds/endpoint-slice.ts'
import { node as nodeKind } from '../../api/kinds/node.ts'
import { service } from '../../api/kinds/service.ts'
import { zoneOf } from '../../api/placement.ts'
import type { Cancel } from '../../base/clock.ts'
import type { Env } from '../../base/env.ts'
import type { Informers } from '../../client/informers.ts'
import { proxyRules, type Rule, targetsOf } from './rules.ts'

const SERVICE_NAME = 'kubernetes.io/service-name'
/** Changes that come together are worked out together, as kube-proxy's minSyncPeriod. */
const SYNC_MS = 1000

/** What somebody on a node wants to reach; without an address it is a node port. */
interface Destination {
  readonly address?: string
  readonly port: number
  /** Default TCP. */
  readonly protocol?: string
}

/** Keeps the rules of the cluster current from Services and EndpointSlices; what carries traffic reads `rules`. */
export class ServiceProxy {
  readonly #env: Env
  readonly #informers: Informers
  readonly #cancels: Cancel[] = []
  #pending: Cancel | undefined
  #rules: readonly Rule[] = []

  constructor(env: Env, informers: Informers) {
    this.#env = env
    this.#informers = informers
  }

  get rules(): readonly Rule[] {
    return this.#rules
  }

  /**
   * "ip:port" of the pods that a connection from `node` may go to, each with the same share; none: it is refused.
   * Undefined when the destination is no Service's.
   */
  resolve(node: string, { address, port, protocol = 'TCP' }: Destination): readonly string[] | undefined {
    const isSpoken = (rule: Rule) => rule.protocol === protocol
    const isInside = (rule: Rule) =>
      address !== undefined && rule.port === port && rule.clusterIPs.includes(address)
    const isOutside = (rule: Rule) =>
      address === undefined
        ? rule.nodePort === port
        : rule.port === port && rule.externalIPs.includes(address)
    const rule = this.#rules.find((each) => isSpoken(each) && (isInside(each) || isOutside(each)))
    const home = this.#informers.of(nodeKind).get(node)
    const place = { node, zone: home ? zoneOf(home) : '' }
    return rule && targetsOf(rule, place, isInside(rule) ? 'inside' : 'outside')
  }

  start(): void {
    this.#informers.of(nodeKind)
    this.#cancels.push(this.#informers.of(service).onChange(() => this.#soon()))
    this.#cancels.push(this.#informers.of(endpointSlice).onChange(() => this.#soon()))
    this.#env.metrics.gauge(
      'kubeproxy_sync_proxy_rules_endpoints',
      'Endpoints that the rules send traffic to',
      [],
      () => this.#rules.reduce((sum, { backends }) => sum + backends.length, 0),
    )
  }

  stop(): void {
    for (const cancel of this.#cancels) cancel()
    this.#pending?.()
  }

  #soon(): void {
    this.#pending ??= this.#env.clock.after(SYNC_MS, () => {
      this.#pending = undefined
      const slices = this.#slicesByService()
      this.#rules = proxyRules(this.#informers.of(service).list(), (key) => slices.get(key) ?? [])
    })
  }

  #slicesByService(): ReadonlyMap<string, readonly EndpointSlice[]> {
    const slices = new Map<string, EndpointSlice[]>()
    for (const slice of this.#informers.of(endpointSlice).list()) {
      const key = `${slice.metadata.namespace}/${slice.metadata.labels?.[SERVICE_NAME] ?? ''}`
      const known = slices.get(key)
      if (known) known.push(slice)
      else slices.set(key, [slice])
    }
    return slices
  }
}
