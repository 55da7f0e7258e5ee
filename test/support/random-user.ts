import type { AnyKind, KindRef } from '../../src/api/kind.ts'
import { kinds } from '../../src/api/kinds/index.ts'
import { node as nodeKind } from '../../src/api/kinds/node.ts'
import { pod as podKind } from '../../src/api/kinds/pod.ts'
import type { AnyResource } from '../../src/api/resource.ts'
import { ApiError } from '../../src/api/status.ts'
import type { Random } from '../../src/base/random.ts'
import type { Client } from '../../src/client/client.ts'
import { pick } from './random-pods.ts'
import { FOUNDATION, type Manifest, randomWorkload, type Workload } from './random-workloads.ts'

const NODES = ['worker-0', 'worker-1', 'worker-2', 'worker-3']
const FAULTS = [
  'KillNode',
  'PartitionNode',
  'SlowNode',
  'DrainNode',
  'ShutdownNode',
  'CrashContainer',
  'FlapProbe',
]

/** Somebody at a terminal: starts, scales, changes, deletes, drains and breaks things, drawn from a seed. */
export class User {
  readonly #client: Client
  readonly #random: Random
  readonly #say: (text: string) => void
  #workloads: Workload[] = []

  constructor(client: Client, random: Random, say: (text: string) => void) {
    this.#client = client
    this.#random = random
    this.#say = say
  }

  async begin(): Promise<void> {
    for (const manifest of FOUNDATION) await this.#apply(manifest)
  }

  /** Between two steps, in ms: often too short for the one before to end. */
  pause(): number {
    return pick(this.#random, [100, 1000, 4000, 15_000, 60_000])
  }

  async act(step: number): Promise<void> {
    if (this.#workloads.length < 3) return this.#start(step)
    const workload = pick(this.#random, this.#workloads)
    const dice = this.#random.int(14)
    if (dice <= 2) return this.#start(step)
    if (dice <= 4) return this.#scale(workload)
    if (dice <= 6) return this.#change(workload, step)
    if (dice <= 8) return this.#deletePods()
    if (dice === 9) return this.#drain(pick(this.#random, NODES))
    if (dice === 10) return this.#cordon(pick(this.#random, NODES), false)
    if (dice === 11) return this.#remove(workload)
    return this.#break(step)
  }

  /** Everything that never ends by itself is ended, and the cluster is whole again. */
  async end(): Promise<void> {
    for (const name of NODES) await this.#cordon(name, false)
    for (const { metadata } of (await this.#client.list(kindOf('Fault'))).items)
      await this.#try(`delete Fault ${metadata.name}`, () =>
        this.#client.delete(kindOf('Fault'), { name: metadata.name }),
      )
    for (const workload of this.#workloads)
      if (workload.kind === 'CronJob') await this.#patch(workload, { spec: { suspend: true } })
    if (this.#random.int(3) === 0)
      await this.#try('delete Namespace tight', () =>
        this.#client.delete(kindOf('Namespace'), { name: 'tight' }),
      )
    for (const workload of [...this.#workloads]) if (this.#random.int(4) === 0) await this.#remove(workload)
  }

  async #start(step: number): Promise<void> {
    const workload = randomWorkload(this.#random, step)
    this.#workloads.push(workload)
    for (const manifest of workload.manifests) await this.#apply(manifest)
  }

  async #scale(workload: Workload): Promise<void> {
    const [, second] = workload.manifests
    if (second?.kind === 'HorizontalPodAutoscaler') {
      const minReplicas = 1 + this.#random.int(3)
      const spec = { minReplicas, maxReplicas: minReplicas + this.#random.int(3) }
      const key = { namespace: workload.namespace, name: workload.name }
      const kind = kindOf(second.kind)
      return this.#try(`bound ${workload.name} ${JSON.stringify(spec)}`, () =>
        this.#client.patch(kind, key, 'merge', { spec }),
      )
    }
    if (workload.kind === 'Deployment' || workload.kind === 'StatefulSet')
      return this.#patch(workload, { spec: { replicas: this.#random.int(6) } })
    if (workload.kind === 'Job') {
      const spec = pick(this.#random, [
        { parallelism: this.#random.int(4) + 1 },
        { suspend: true },
        { suspend: false },
      ])
      return this.#patch(workload, { spec })
    }
    if (workload.kind === 'CronJob')
      return this.#patch(workload, { spec: { suspend: this.#random.int(2) === 0 } })
  }

  async #change(workload: Workload, step: number): Promise<void> {
    if (workload.kind === 'Job' || workload.kind === 'CronJob') return
    const annotations = { 'kubectl.kubernetes.io/restartedAt': String(step) }
    return this.#patch(workload, { spec: { template: { metadata: { annotations } } } })
  }

  async #deletePods(): Promise<void> {
    const { items } = await this.#client.list(podKind)
    for (let i = 0; i < 1 + this.#random.int(3) && items.length > 0; i += 1) {
      const { namespace, name } = pick(this.#random, items).metadata
      await this.#try(`delete Pod ${name}`, () => this.#client.delete(podKind, { namespace, name }))
    }
  }

  /** As kubectl drain does, once: DaemonSet pods stay, a refusal is taken as such. */
  async #drain(name: string): Promise<void> {
    await this.#cordon(name, true)
    const { items } = await this.#client.list(podKind, { fieldSelector: `spec.nodeName=${name}` })
    for (const { metadata } of items) {
      if (metadata.ownerReferences?.some(({ kind }) => kind === 'DaemonSet')) continue
      const key = { namespace: metadata.namespace, name: metadata.name }
      await this.#try(`evict ${metadata.name}`, () =>
        this.#client.createSubresource(podKind, key, 'eviction', {
          apiVersion: 'policy/v1',
          kind: 'Eviction',
          metadata: key,
        }),
      )
    }
  }

  #cordon(name: string, unschedulable: boolean): Promise<void> {
    return this.#try(`${unschedulable ? 'cordon' : 'uncordon'} ${name}`, () =>
      this.#client.patch(nodeKind, { name }, 'merge', { spec: { unschedulable: unschedulable || null } }),
    )
  }

  async #remove(workload: Workload): Promise<void> {
    this.#workloads = this.#workloads.filter((one) => one !== workload)
    for (const { kind, metadata } of workload.manifests) {
      const { namespace, name } = metadata
      await this.#try(`delete ${kind} ${name}`, () =>
        this.#client.delete(
          kindOf(kind),
          { namespace, name },
          { propagationPolicy: this.#random.int(3) === 0 ? 'Foreground' : 'Background' },
        ),
      )
    }
  }

  async #break(step: number): Promise<void> {
    const action = pick(this.#random, FAULTS)
    const workload = pick(this.#random, this.#workloads)
    const ofPods = action === 'CrashContainer' || action === 'FlapProbe'
    const target = ofPods ? { podLabels: { app: workload.name } } : { nodes: [pick(this.#random, NODES)] }
    const duration = pick(this.#random, ['20s', '2m', '7m'])
    await this.#apply({
      apiVersion: 'seamark.dev/v1alpha1',
      kind: 'Fault',
      metadata: { name: `f${step}` },
      spec: { action, target, duration },
    })
  }

  #patch({ kind, namespace, name }: Workload, patch: object): Promise<void> {
    return this.#try(`patch ${kind} ${name} ${JSON.stringify(patch)}`, () =>
      this.#client.patch(kindOf(kind), { namespace, name }, 'merge', patch),
    )
  }

  #apply(manifest: Manifest): Promise<void> {
    const { kind, metadata, spec } = manifest
    return this.#try(`apply ${kind} ${metadata.name} ${JSON.stringify(spec)}`, () =>
      this.#client.apply(kindOf(kind), manifest, { fieldManager: 'user', force: true }),
    )
  }

  /** A user reads a refusal and goes on; anything else is a fault of the API. */
  async #try(text: string, act: () => Promise<unknown>): Promise<void> {
    this.#say(text)
    try {
      await act()
    } catch (error) {
      if (!(error instanceof ApiError) || error.code >= 500) throw error
      this.#say(`refused: ${error.message}`)
    }
  }
}

function kindOf(name: string): KindRef<AnyResource> {
  const kind = kinds.find((each: AnyKind) => each.kind === name)
  if (!kind) throw new Error(`No kind ${name}`)
  return kind as unknown as KindRef<AnyResource>
}
