import { controllerOf, type Resource } from '../api/resource.ts'

/** From a resource to the values it is found under; none means it is not in this index. */
export type IndexBy<R extends Resource> = (resource: R) => readonly string[]

type Labels = Readonly<Record<string, string>>

/** One label as the indexes `label` and `selector` have it. */
export function pairIn(namespace: string | undefined, [key, value]: readonly [string, string]): string {
  return `${namespace ?? ''}/${key}=${value}`
}

/** What every shared informer can be asked: `byIndex('owner', uid)`, `byIndex('node', 'a')`. */
export const sharedIndexes = {
  namespace: (resource: Resource) => [resource.metadata.namespace ?? ''],
  /** The uid of the owner reference with controller: true. */
  owner: (resource: Resource) => {
    const owner = controllerOf(resource)
    return owner ? [owner.uid] : []
  },
  /** What nobody controls, by namespace: where controllers look for something to adopt. */
  orphan: (resource: Resource) => (controllerOf(resource) ? [] : [resource.metadata.namespace ?? '']),
  /** Pods only: the node they are bound to. */
  node: (resource: Resource) => {
    if (resource.kind !== 'Pod') return []
    const nodeName = (resource as Resource & { readonly spec: { readonly nodeName?: string } }).spec.nodeName
    return nodeName ? [nodeName] : []
  },
  /** Pods only: "namespace/key=value" of each label, for those that select by them. */
  label: ({ kind, metadata }: Resource) =>
    kind === 'Pod'
      ? Object.entries(metadata.labels ?? {}).map((pair) => pairIn(metadata.namespace, pair))
      : [],
  /** Services only: the first pair of the selector, as `label` writes it. A pod's services are found by its labels. */
  selector: (resource: Resource) => {
    if (resource.kind !== 'Service') return []
    const { spec, metadata } = resource as Resource & { readonly spec: { readonly selector?: Labels } }
    const [first] = Object.entries(spec.selector ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
    return first ? [pairIn(metadata.namespace, first)] : []
  },
} as const satisfies Readonly<Record<string, IndexBy<Resource>>>

const NONE: ReadonlyMap<string, never> = new Map<string, never>()

/** The buckets of one index. A resource is moved by its old and its new form, never looked for. */
export class Index<R extends Resource> {
  readonly #indexBy: IndexBy<R>
  readonly #buckets = new Map<string, Map<string, R>>()

  constructor(indexBy: IndexBy<R>) {
    this.#indexBy = indexBy
  }

  change(key: string, previous: R | undefined, next: R | undefined): void {
    const before = previous ? this.#indexBy(previous) : []
    const after = next ? this.#indexBy(next) : []
    for (const value of before) {
      if (after.includes(value)) continue
      const bucket = this.#buckets.get(value)
      bucket?.delete(key)
      if (bucket?.size === 0) this.#buckets.delete(value)
    }
    if (!next) return
    for (const value of after) {
      const bucket = this.#buckets.get(value)
      if (bucket) bucket.set(key, next)
      else this.#buckets.set(value, new Map([[key, next]]))
    }
  }

  of(value: string): ReadonlyMap<string, R> {
    return this.#buckets.get(value) ?? NONE
  }
}
