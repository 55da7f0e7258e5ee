import type { Node } from '../../api/kinds/node.ts'
import type { Pod } from '../../api/pods.ts'
import { formatTime } from '../../base/date.ts'
import type { NodeUsage } from '../../client/node-connection.ts'

/** A node as its kubelet would tell of it. `now` in epoch ms. */
export interface KubeletView {
  readonly node: Node
  /** Those bound to it. */
  readonly pods: readonly Pod[]
  readonly usage: NodeUsage
  readonly now: number
}

export interface KubeletAnswer {
  readonly code: number
  readonly type: 'application/json' | 'text/plain; charset=utf-8' | 'text/plain; version=0.0.4; charset=utf-8'
  readonly body: string
}

const TEXT = 'text/plain; charset=utf-8'
const JSON_TYPE = 'application/json'
const METRICS = 'text/plain; version=0.0.4; charset=utf-8'

/** What people read of a kubelet through nodes/NAME/proxy: health, pods, the summary and its metrics of resources. Pure. */
export function kubeletAnswer(method: string, path: string, view: KubeletView): KubeletAnswer {
  if (method !== 'GET' && method !== 'HEAD') return { code: 405, type: TEXT, body: 'Method Not Allowed\n' }
  switch (path.replace(/\?.*$/, '').replace(/(.)\/$/, '$1')) {
    case '/healthz':
    case '/healthz/ping':
    case '/healthz/syncloop':
      return { code: 200, type: TEXT, body: 'ok' }
    case '/pods':
      return json({ kind: 'PodList', apiVersion: 'v1', metadata: {}, items: view.pods })
    case '/runningpods': {
      const items = view.pods.filter(({ status }) => status?.phase === 'Running')
      return json({ kind: 'PodList', apiVersion: 'v1', metadata: {}, items })
    }
    case '/stats/summary':
      return json(summaryOf(view))
    case '/metrics/resource':
      return { code: 200, type: METRICS, body: resourceMetrics(view) }
    default:
      return { code: 404, type: TEXT, body: '404 page not found\n' }
  }
}

function json(value: unknown): KubeletAnswer {
  return { code: 200, type: JSON_TYPE, body: JSON.stringify(value) }
}

/** stats/v1alpha1 Summary, as far as simulated nodes use anything. */
function summaryOf({ node, pods, usage, now }: KubeletView): object {
  const time = formatTime(now)
  const of = (cpu: number, memory: number) => ({
    cpu: { time, usageNanoCores: Math.round(cpu * 1e9) },
    memory: { time, usageBytes: Math.round(memory), workingSetBytes: Math.round(memory) },
  })
  return {
    node: {
      nodeName: node.metadata.name,
      startTime: node.metadata.creationTimestamp,
      ...of(usage.cpu, usage.memory),
    },
    pods: usage.pods.flatMap(({ uid, containers }) => {
      const pod = pods.find(({ metadata }) => metadata.uid === uid)
      if (!pod) return []
      const { name, namespace } = pod.metadata
      const [cpu, memory] = [sum(containers, 'cpu'), sum(containers, 'memory')]
      return [
        {
          podRef: { name, namespace, uid },
          startTime: pod.status?.startTime,
          containers: containers.map((each) => ({
            name: each.name,
            startTime: formatTime(each.startedAt),
            ...of(each.cpu, each.memory),
          })),
          ...of(cpu, memory),
        },
      ]
    }),
  }
}

/** Prometheus' text form of what a metrics server scrapes. */
function resourceMetrics({ pods, usage, now }: KubeletView): string {
  const containers = usage.pods.flatMap(({ uid, containers: all }) => {
    const pod = pods.find(({ metadata }) => metadata.uid === uid)
    return pod ? all.map((each) => ({ each, pod })) : []
  })
  const labels = ({ each, pod: { metadata } }: (typeof containers)[number]) =>
    `{container="${each.name}",namespace="${metadata.namespace}",pod="${metadata.name}"}`
  const family = (name: string, lines: readonly (readonly [string, number])[]) => [
    `# TYPE ${name} gauge`,
    ...lines.map(([where, value]) => `${name}${where} ${value} ${now}`),
  ]
  return `${[
    ...family(
      'container_memory_working_set_bytes',
      containers.map((one) => [labels(one), Math.round(one.each.memory)] as const),
    ),
    ...family(
      'container_start_time_seconds',
      containers.map((one) => [labels(one), one.each.startedAt / 1000] as const),
    ),
    ...family('node_memory_working_set_bytes', [['', Math.round(usage.memory)]]),
    ...family('resource_scrape_error', [['', 0]]),
  ].join('\n')}\n`
}

function sum(
  all: readonly { readonly cpu: number; readonly memory: number }[],
  what: 'cpu' | 'memory',
): number {
  return all.reduce((total, each) => total + each[what], 0)
}
