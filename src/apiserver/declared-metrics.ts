/**
 * custom.metrics.k8s.io and external.metrics.k8s.io, as a metrics adapter adds them to a cluster. The figures are
 * declared: those of pods by SimulatedImages, sampled on the nodes; others by SimulatedMetrics; the requests of a
 * Service by SimulatedLoads.
 */
import type { AnyKind } from '../api/kind.ts'
import { pod as podKind } from '../api/kinds/pod.ts'
import { service as serviceKind } from '../api/kinds/service.ts'
import { simulatedImage } from '../api/kinds/simulated-image.ts'
import { loadAt, simulatedLoad } from '../api/kinds/simulated-load.ts'
import {
  metricAt,
  metricNameOf,
  type SimulatedMetric,
  simulatedMetric,
} from '../api/kinds/simulated-metric.ts'
import { CUSTOM_METRICS, EXTERNAL_METRICS, groupResourceOf } from '../api/metric-values.ts'
import { formatQuantity } from '../api/quantity.ts'
import { apiVersionOf, parseApiVersion, type Resource } from '../api/resource.ts'
import { compileRequirements, parseLabelSelector } from '../api/selectors.ts'
import { ApiError } from '../api/status.ts'
import { formatTime, parseTime } from '../base/date.ts'
import type { ListOptions } from '../client/client.ts'
import type { NamedAmount } from '../client/node-connection.ts'
import type { NodeSamples } from './node-samples.ts'
import type { Registry } from './registry.ts'
import type { Discovered, ServedGroup, ServedList } from './served-group.ts'

const CUSTOM_VERSIONS = ['v1beta2', 'v1beta1']
const EXTERNAL_VERSION = 'v1beta1'
/** Of a Service that a SimulatedLoad sends requests to. */
const REQUESTS = 'requests_per_second'

/** A figure of an object. */
interface Figure extends NamedAmount {
  readonly object: string
}

export function serveDeclaredMetrics(registry: Registry, samples: NodeSamples): void {
  const declared = new Declared(registry, samples)
  registry.groups.set(CUSTOM_METRICS, new CustomMetrics(registry, declared))
  registry.groups.set(EXTERNAL_METRICS, new ExternalMetrics(declared))
}

class CustomMetrics implements ServedGroup {
  readonly madeOf = [simulatedImage, simulatedMetric, simulatedLoad]
  readonly #registry: Registry
  readonly #declared: Declared

  constructor(registry: Registry, declared: Declared) {
    this.#registry = registry
    this.#declared = declared
  }

  async resources(): Promise<readonly Discovered[]> {
    const names = await this.#declared.customNames()
    return CUSTOM_VERSIONS.flatMap((version) =>
      [...names].map(([resource, metrics]) => {
        const list = { group: CUSTOM_METRICS, version, kind: 'MetricValueList', verbs: ['get'] }
        const others = Object.fromEntries([...metrics].map((metric) => [metric, list]))
        return {
          ...NOTHING_OF_ITS_OWN,
          group: CUSTOM_METRICS,
          version,
          plural: resource,
          subresources: { others },
        }
      }),
    )
  }

  async read(version: string, path: readonly string[], options: ListOptions): Promise<ServedList> {
    const isOfNamespace = path.length === 2 && path[0] === 'metrics'
    const [resource = '', name = '', metric = ''] = isOfNamespace
      ? ['namespaces', options.namespace ?? '', path[1] ?? '']
      : path
    const names = await this.#declared.customNames()
    const kind = this.#registry.kinds.list.find((each) => groupResourceOf(each) === resource)
    if (
      !CUSTOM_VERSIONS.includes(version) ||
      names.size === 0 ||
      (!isOfNamespace && path.length !== 3) ||
      !kind
    )
      throw nowhere()
    if (!names.get(resource)?.has(metric))
      throw new ApiError('NotFound', `the server could not find the metric ${metric} for ${resource}`)
    const isWanted = await this.#wanted(kind, name, options)
    const hasLabels = compileRequirements(parseLabelSelector(options.metricLabelSelector))
    const found = (await this.#declared.ofObjects(kind, options.namespace, isWanted)).filter(
      (figure) => figure.name === metric && isWanted(figure.object) && hasLabels(figure.labels ?? {}),
    )
    if (found.length === 0 && name !== '*')
      throw new ApiError('NotFound', `the server could not find the metric ${metric} for ${resource} ${name}`)
    const timestamp = formatTime(this.#declared.at)
    const items = found.map(({ object, value }) => ({
      describedObject: {
        kind: kind.kind,
        ...(kind.scope === 'Namespaced' ? { namespace: options.namespace } : {}),
        name: object,
        apiVersion: apiVersionOf(kind),
      },
      ...(version === 'v1beta1' ? { metricName: metric } : { metric: { name: metric, selector: null } }),
      timestamp,
      value: quantityOf(value),
      ...(version === 'v1beta1' ? { selector: null } : {}),
    }))
    return { kind: 'MetricValueList', apiVersion: `${CUSTOM_METRICS}/${version}`, metadata: {}, items }
  }

  async #wanted(kind: AnyKind, name: string, { namespace, labelSelector }: ListOptions) {
    if (name !== '*') return (object: string) => object === name
    const matches = compileRequirements(parseLabelSelector(labelSelector))
    const there = await this.#declared.objects(kind, namespace)
    const names = new Set(
      there.flatMap(({ metadata }) => (matches(metadata.labels ?? {}) ? metadata.name : [])),
    )
    return (object: string) => names.has(object)
  }
}

class ExternalMetrics implements ServedGroup {
  readonly madeOf = [simulatedMetric]
  readonly #declared: Declared

  constructor(declared: Declared) {
    this.#declared = declared
  }

  async resources(): Promise<readonly Discovered[]> {
    const names = new Set((await this.#declared.external()).map(metricNameOf))
    return [...names].sort().map((plural) => ({
      ...NOTHING_OF_ITS_OWN,
      group: EXTERNAL_METRICS,
      version: EXTERNAL_VERSION,
      kind: 'ExternalMetricValueList',
      plural,
      verbs: ['get'],
      subresources: {},
    }))
  }

  async read(version: string, path: readonly string[], options: ListOptions): Promise<ServedList> {
    const declared = await this.#declared.external()
    if (version !== EXTERNAL_VERSION || declared.length === 0 || path.length !== 1) throw nowhere()
    const [metric] = path
    const hasLabels = compileRequirements(parseLabelSelector(options.labelSelector))
    const { at } = this.#declared
    const items = declared
      .filter(
        (each) =>
          each.metadata.namespace === options.namespace &&
          metricNameOf(each) === metric &&
          hasLabels(each.spec.labels ?? {}),
      )
      .map((each) => ({
        metricName: metric,
        metricLabels: each.spec.labels ?? {},
        timestamp: formatTime(at),
        value: quantityOf(metricAt(each, sinceMade(each, at))),
      }))
    return {
      kind: 'ExternalMetricValueList',
      apiVersion: `${EXTERNAL_METRICS}/${version}`,
      metadata: {},
      items,
    }
  }
}

const NOTHING_OF_ITS_OWN = {
  kind: '',
  singular: '',
  scope: 'Namespaced',
  verbs: [],
  shortNames: [],
  categories: [],
} as const

/** What is declared, and what it comes to at the sample that holds now. */
class Declared {
  readonly #registry: Registry
  readonly #samples: NodeSamples

  constructor(registry: Registry, samples: NodeSamples) {
    this.#registry = registry
    this.#samples = samples
  }

  get at(): number {
    return this.#samples.at
  }

  async external(): Promise<readonly SimulatedMetric[]> {
    const all = await this.#registry.reader.all(simulatedMetric)
    return all.filter(({ spec }) => spec.describedObject === undefined)
  }

  /** Those that a selector may select. */
  async objects(kind: AnyKind, namespace: string | undefined): Promise<readonly Resource[]> {
    if (groupResourceOf(kind) === 'pods') return this.#samples.pods(namespace)
    return this.#registry.reader.all(kind.storedAs?.kind ?? kind, namespace)
  }

  /** Names of metrics by resource. */
  async customNames(): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
    const { reader } = this.#registry
    const names = new Map<string, Set<string>>()
    const add = (kind: AnyKind | undefined, metric: string) => {
      if (!kind) return
      const resource = groupResourceOf(kind)
      names.set(resource, (names.get(resource) ?? new Set()).add(metric))
    }
    for (const { spec } of await reader.all(simulatedImage))
      for (const { name } of spec.usage?.metrics ?? []) add(podKind, name)
    for (const metric of await reader.all(simulatedMetric)) add(this.#kindOf(metric), metricNameOf(metric))
    if ((await reader.all(simulatedLoad)).length > 0) add(serviceKind, REQUESTS)
    return names
  }

  async ofObjects(
    kind: AnyKind,
    namespace: string | undefined,
    isWanted: (name: string) => boolean,
  ): Promise<readonly Figure[]> {
    const { reader } = this.#registry
    const resource = groupResourceOf(kind)
    const metrics = await reader.all(simulatedMetric, kind.scope === 'Namespaced' ? namespace : undefined)
    const figures = metrics.flatMap((metric): readonly Figure[] => {
      const of = this.#kindOf(metric)
      if (!of || groupResourceOf(of) !== resource) return []
      const { describedObject, labels } = metric.spec
      const value = metricAt(metric, sinceMade(metric, this.at))
      const object = describedObject?.name ?? ''
      return [{ object, name: metricNameOf(metric), ...(labels ? { labels } : {}), value }]
    })
    if (resource === 'services') return [...figures, ...(await this.#ofServices(namespace))]
    return resource === 'pods' ? [...figures, ...(await this.#ofPods(namespace, isWanted))] : figures
  }

  async #ofServices(namespace: string | undefined): Promise<readonly Figure[]> {
    const totals = new Map<string, number>()
    for (const load of await this.#registry.reader.all(simulatedLoad, namespace))
      totals.set(
        load.spec.service,
        (totals.get(load.spec.service) ?? 0) + loadAt(load, sinceMade(load, this.at)),
      )
    return [...totals].map(([object, value]) => ({ object, name: REQUESTS, value }))
  }

  /** Of each pod that runs, the sum over its containers. */
  async #ofPods(
    namespace: string | undefined,
    isWanted: (name: string) => boolean,
  ): Promise<readonly Figure[]> {
    const { at } = this
    return (await this.#samples.pods(namespace))
      .filter(({ metadata }) => isWanted(metadata.name))
      .flatMap((pod) => {
        const sums = new Map<string, Figure>()
        for (const { startedAt, figures } of this.#samples.containersOf(pod)) {
          if (startedAt > at) continue
          for (const figure of figures) {
            const key = JSON.stringify([figure.name, figure.labels])
            const value = figure.value + (sums.get(key)?.value ?? 0)
            sums.set(key, { ...figure, value, object: pod.metadata.name })
          }
        }
        return [...sums.values()]
      })
  }

  #kindOf({ spec: { describedObject } }: SimulatedMetric): AnyKind | undefined {
    if (!describedObject) return undefined
    const { group } = parseApiVersion(describedObject.apiVersion ?? 'v1')
    return this.#registry.kinds.list.find(
      (each) => each.group === group && each.kind === describedObject.kind,
    )
  }
}

/** In whole thousandths, as adapters write them. */
function quantityOf(value: number): string {
  return formatQuantity(Math.floor(value * 1000 + 1e-6) / 1000)
}

function sinceMade({ metadata }: Resource, at: number): number {
  return Math.max(0, at - (parseTime(metadata.creationTimestamp) ?? at))
}

function nowhere(): ApiError {
  return new ApiError('NotFound', 'the server could not find the requested resource')
}
