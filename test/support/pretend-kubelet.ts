import { type Lease, lease } from '../../src/api/kinds/lease.ts'
import { type Node, node as nodeKind } from '../../src/api/kinds/node.ts'
import { type Pod, pod } from '../../src/api/kinds/pod.ts'
import { isReason } from '../../src/api/status.ts'
import { every } from '../../src/base/clock.ts'
import { formatMicroTime, formatTime } from '../../src/base/date.ts'
import type { TestCluster } from './cluster.ts'

export interface PretendKubeletOptions {
  /** Which pods become ready; all unless told otherwise. Asked once, when a pod starts. */
  readonly becomesReady?: (pod: Pod) => boolean
  readonly startMs?: number
  readonly stopMs?: number
  /** Where every pod runs. */
  readonly node?: string
}

/** A node that says it is ready and renews its lease every 10 s, for as long as `isAlive` says. */
export async function startPretendNode(
  { client, clock }: TestCluster,
  made: Node,
  isAlive: () => boolean = () => true,
): Promise<void> {
  const { name } = made.metadata
  const namespace = 'kube-node-lease'
  await client.get(nodeKind, { name }).catch(() => client.create(nodeKind, made))
  const at = formatTime(clock.now())
  const ready = { type: 'Ready', status: 'True', lastHeartbeatTime: at, lastTransitionTime: at }
  const status = { ...made.status, conditions: [ready] }
  await client.patch(nodeKind, { name }, 'merge', { status }, { subresource: 'status' })
  const renew = async () => {
    if (!isAlive()) return
    const spec = { holderIdentity: name, leaseDurationSeconds: 40, renewTime: formatMicroTime(clock.now()) }
    const renewed: Lease = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name, namespace },
      spec,
    }
    await client
      .patch(lease, { namespace, name }, 'merge', { spec })
      .catch(() => client.create(lease, renewed))
  }
  every(clock, 10_000, () => void renew().catch(() => undefined))
}

/** Scheduler and kubelet in a few lines, for tests of controllers: pods are bound, run, become ready and stop. */
export function startPretendKubelet(
  { client, clock, informers }: TestCluster,
  options: PretendKubeletOptions = {},
): void {
  const { becomesReady = () => true, startMs = 1000, stopMs = 1000, node = 'node-a' } = options
  const started = new Set<string>()
  const stopping = new Set<string>()
  let lastIp = 0

  async function start(seen: Pod): Promise<void> {
    const { namespace, name } = seen.metadata
    const bound = await client.get(pod, { namespace, name })
    if (!bound.spec.nodeName) {
      const target = { kind: 'Node', name: node }
      const binding = { apiVersion: 'v1', kind: 'Binding', metadata: { name, namespace }, target }
      await client.createSubresource(pod, { namespace, name }, 'binding', binding)
    }
    const current = await client.get(pod, { namespace, name })
    lastIp += 1
    const isReady = becomesReady(current)
    const ready = {
      type: 'Ready',
      status: isReady ? 'True' : 'False',
      lastTransitionTime: formatTime(clock.now()),
    }
    const others = current.status?.conditions?.filter(({ type }) => type !== 'Ready') ?? []
    const podIP = `10.244.${lastIp >> 8}.${lastIp & 255}`
    const status = {
      ...current.status,
      phase: 'Running',
      startTime: formatTime(clock.now()),
      podIP,
      podIPs: [{ ip: podIP }],
      conditions: [...others, ready],
    }
    await client.update(pod, { ...current, status }, { subresource: 'status' })
  }

  const quietly = (work: Promise<unknown>) =>
    void work.catch((error: unknown) => {
      if (!isReason(error, 'NotFound') && !isReason(error, 'Conflict')) throw error
    })

  informers.of(pod).onChange(({ type, resource }) => {
    const { uid = '', namespace, name } = resource.metadata
    if (type === 'deleted') return
    if (resource.metadata.deletionTimestamp !== undefined) {
      if (stopping.has(uid)) return
      stopping.add(uid)
      const end = { gracePeriodSeconds: 0, preconditions: { uid } }
      clock.after(stopMs, () => quietly(client.delete(pod, { namespace, name }, end)))
    } else if (!started.has(uid)) {
      started.add(uid)
      clock.after(startMs, () => quietly(start(resource)))
    }
  })
}
