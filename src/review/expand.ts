import type { V1PodTemplateSpec } from '../api/generated/types.ts'
import { cronJob } from '../api/kinds/cron-job.ts'
import { type DaemonSet, daemonSet } from '../api/kinds/daemon-set.ts'
import { deployment } from '../api/kinds/deployment.ts'
import { job } from '../api/kinds/job.ts'
import type { Node } from '../api/kinds/node.ts'
import { pod } from '../api/kinds/pod.ts'
import { replicaSet } from '../api/kinds/replica-set.ts'
import { replicationController } from '../api/kinds/replication-controller.ts'
import { type StatefulSet, statefulSet, withClaimVolumes } from '../api/kinds/stateful-set.ts'
import type { AnyResource } from '../api/resource.ts'
import { daemonPod, verdictsOf } from '../controllers/daemon-pod.ts'
import type { Target } from '../sync/target.ts'

/** The pods that an object stands for, before any controller runs. */
export interface Expansion {
  /** Where the pod's fields stand in the object: "spec." or "spec.template.spec." */
  readonly prefix: string
  /** One for each pod; a pod itself is itself. */
  readonly templates: readonly V1PodTemplateSpec[]
}

interface Workload {
  readonly replicas?: number
  readonly parallelism?: number
  readonly completions?: number
  readonly template?: V1PodTemplateSpec
  readonly jobTemplate?: { readonly spec?: Workload }
}

/** Undefined for what makes no pods. A DaemonSet has one for each node it is for, a CronJob those of one run. */
export function expand({ kind }: Target, stored: AnyResource, nodes: readonly Node[]): Expansion | undefined {
  const spec = stored.spec as Workload
  const repeated = (template: V1PodTemplateSpec | undefined, count: number, prefix: string): Expansion => ({
    prefix,
    templates: template ? Array.from({ length: count }, () => template) : [],
  })
  switch (kind) {
    case pod:
      return { prefix: 'spec.', templates: [] }
    case deployment:
    case replicaSet:
    case replicationController:
      return repeated(spec.template, spec.replicas ?? 1, 'spec.template.spec.')
    case statefulSet: {
      const set = stored as unknown as StatefulSet
      return repeated(withClaimVolumes(set.spec), spec.replicas ?? 1, 'spec.template.spec.')
    }
    case job:
      return repeated(spec.template, podsAtOnce(spec), 'spec.template.spec.')
    case cronJob: {
      const { template } = spec.jobTemplate?.spec ?? {}
      return repeated(
        template,
        podsAtOnce(spec.jobTemplate?.spec ?? {}),
        'spec.jobTemplate.spec.template.spec.',
      )
    }
    case daemonSet: {
      const set = stored as unknown as DaemonSet
      const verdictOn = verdictsOf(set)
      const templates = nodes
        .filter((node) => verdictOn(node).shouldRun)
        .map((node) => daemonPod(set, node.metadata.name, ''))
      return { prefix: 'spec.template.spec.', templates }
    }
    default:
      return undefined
  }
}

function podsAtOnce({ parallelism = 1, completions = parallelism }: Workload): number {
  return Math.min(parallelism, completions)
}
