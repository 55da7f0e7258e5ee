import { type Fault, fault as faultKind } from '../../api/kinds/fault.ts'
import { type Node, node as nodeKind } from '../../api/kinds/node.ts'
import { type Pod, pod as podKind } from '../../api/kinds/pod.ts'
import { isPodTerminal } from '../../api/pods.ts'
import { keyOf } from '../../api/resource.ts'
import { nodeUidOf } from '../../api/static-pods.ts'
import { type Cancel, every } from '../../base/clock.ts'
import type { Env } from '../../base/env.ts'
import type { Client } from '../../client/client.ts'
import type { Informers } from '../../client/informers.ts'
import { cordon, evictAll } from './drain.ts'
import type { FaultEffects } from './faults.ts'
import { hitsContainer, hitsNode, hitsPod } from './targets.ts'

/** What nodes let faults do to them. */
export interface FaultyNodes {
  isOurs(node: string): boolean
  kill(node: string): void
  /** It ends its pods in order, and is gone then. */
  shutDown(node: string): void
  /** It is back, and nothing of what ran there runs. */
  revive(node: Node): void
  /** Nobody reaches it through the API server, or can again. */
  cut(node: string, isCut: boolean): void
  /** Its status and all its pods are looked at again. */
  refresh(node: string): void
  crash(node: string, podUid: string, container: string): void
}

/** A drain asks again this often. */
const AGAIN_MS = 10_000

export class NodeFaultEffects implements FaultEffects {
  readonly #env: Env
  readonly #client: Client
  readonly #informers: Informers
  readonly #nodes: FaultyNodes
  readonly #repeats = new Map<string, Cancel>()

  constructor(env: Env, client: Client, informers: Informers, nodes: FaultyNodes) {
    this.#env = env
    this.#client = client
    this.#informers = informers
    this.#nodes = nodes
    informers.of(faultKind)
  }

  begin(fault: Fault, isNew: boolean): readonly string[] {
    const nodes = this.#hit(fault)
    const names = nodes.map(({ metadata }) => metadata.name)
    switch (fault.spec.action) {
      case 'KillNode':
        for (const name of names) this.#nodes.kill(name)
        return names
      case 'ShutdownNode':
        for (const name of names) {
          if (isNew) this.#nodes.shutDown(name)
          else this.#nodes.kill(name)
        }
        return names
      case 'PartitionNode':
        for (const name of names) this.#nodes.cut(name, true)
        return names
      case 'DrainNode':
        this.#repeat(fault, () => void this.#drain(names))
        return names
      case 'FillDisk':
        for (const name of names) this.#nodes.refresh(name)
        return names
      case 'CrashContainer':
        return isNew ? this.#crash(fault) : []
      case 'FailPull':
      case 'FlapProbe':
        for (const name of names) this.#nodes.refresh(name)
        return this.#pods(fault)
          .filter(({ spec }) =>
            [...(spec.initContainers ?? []), ...spec.containers].some((each) => hitsContainer(fault, each)),
          )
          .map(keyOf)
      default:
        return names
    }
  }

  end(fault: Fault): void {
    const { action } = fault.spec
    this.#repeats.get(fault.metadata.uid ?? '')?.()
    for (const node of this.#hit(fault)) {
      if (action === 'KillNode' || action === 'ShutdownNode') this.#nodes.revive(node)
      else if (action === 'DrainNode') void this.#quietly(cordon(this.#client, node.metadata.name, false))
      else {
        if (action === 'PartitionNode') this.#nodes.cut(node.metadata.name, false)
        this.#nodes.refresh(node.metadata.name)
      }
    }
  }

  stop(): void {
    for (const cancel of this.#repeats.values()) cancel()
  }

  #hit(fault: Fault): readonly Node[] {
    return this.#informers
      .of(nodeKind)
      .list()
      .filter((node) => hitsNode(fault, node) && this.#nodes.isOurs(node.metadata.name))
  }

  #pods(fault: Fault): readonly Pod[] {
    return this.#hit(fault)
      .flatMap(({ metadata }) => this.#running(metadata.name))
      .filter((pod) => hitsPod(fault, pod))
  }

  #running(node: string): readonly Pod[] {
    return this.#informers
      .of(podKind)
      .byIndex('node', node)
      .filter((pod) => !isPodTerminal(pod))
  }

  #crash(fault: Fault): readonly string[] {
    return this.#pods(fault).flatMap((pod) => {
      const hit = pod.spec.containers.filter((container) => hitsContainer(fault, container))
      for (const { name } of hit) this.#nodes.crash(pod.spec.nodeName ?? '', nodeUidOf(pod), name)
      return hit.length > 0 ? [keyOf(pod)] : []
    })
  }

  #repeat(fault: Fault, act: () => void): void {
    act()
    this.#repeats.set(fault.metadata.uid ?? '', every(this.#env.clock, AGAIN_MS, act))
  }

  async #drain(names: readonly string[]): Promise<void> {
    for (const name of names) {
      await this.#quietly(cordon(this.#client, name, true))
      await this.#quietly(evictAll(this.#client, this.#running(name)))
    }
  }

  async #quietly(work: Promise<unknown>): Promise<void> {
    try {
      await work
    } catch (error) {
      this.#env.log.debug({ err: error }, 'fault not carried out, tried again')
    }
  }
}
