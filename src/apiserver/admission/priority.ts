import { type Pod, pod as podKind } from '../../api/kinds/pod.ts'
import { priorityClass, SYSTEM_PRIORITY_CLASSES } from '../../api/kinds/priority-class.ts'
import type { AnyResource } from '../../api/resource.ts'
import { forbidden } from '../../api/status.ts'
import type { Admission } from './admission.ts'

/** priorityClassName becomes priority and preemptionPolicy; the class marked globalDefault serves pods that name none. */
export const priority: Admission = {
  name: 'Priority',
  concerns: ({ kind, operation, subresource }) =>
    kind === podKind && operation !== 'DELETE' && subresource === '',
  async mutate({ operation, object, old, reader }) {
    const pod = object as unknown as Pod
    if (operation === 'UPDATE') return keepPriority(pod, old as unknown as Pod) as unknown as AnyResource
    const name = pod.spec.priorityClassName
    const found = name
      ? await reader.find(priorityClass, { name })
      : (await reader.all(priorityClass))
          .filter(({ globalDefault }) => globalDefault)
          .sort((a, b) => (a.value ?? 0) - (b.value ?? 0))[0]
    const system =
      name && Object.hasOwn(SYSTEM_PRIORITY_CLASSES, name) ? SYSTEM_PRIORITY_CLASSES[name] : undefined
    if (name && !found && system === undefined) {
      throw forbidden(podKind, pod.metadata.name, `no PriorityClass with name ${name} was found`)
    }
    const value = found?.value ?? system ?? 0
    const preemptionPolicy = found?.preemptionPolicy ?? 'PreemptLowerPriority'
    if (pod.spec.priority !== undefined && pod.spec.priority !== value) {
      throw forbidden(
        podKind,
        pod.metadata.name,
        `the integer value of priority (${pod.spec.priority}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`,
      )
    }
    if (pod.spec.preemptionPolicy !== undefined && pod.spec.preemptionPolicy !== preemptionPolicy) {
      throw forbidden(
        podKind,
        pod.metadata.name,
        `the string value of PreemptionPolicy (${pod.spec.preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${preemptionPolicy} from the given PriorityClass name`,
      )
    }
    const spec = {
      ...pod.spec,
      priority: value,
      preemptionPolicy,
      ...(found && !name ? { priorityClassName: found.metadata.name } : {}),
    }
    return { ...pod, spec } as unknown as AnyResource
  },
}

/** An update that leaves out what was worked out at creation (kubectl replace) does not mean to remove it. */
function keepPriority(pod: Pod, old: Pod): Pod {
  const { priority, preemptionPolicy } = old.spec
  const isLeftOut = pod.spec.priority === undefined && priority !== undefined
  const isPolicyLeftOut = pod.spec.preemptionPolicy === undefined && preemptionPolicy !== undefined
  if (!isLeftOut && !isPolicyLeftOut) return pod
  return {
    ...pod,
    spec: {
      ...pod.spec,
      ...(isLeftOut ? { priority } : {}),
      ...(isPolicyLeftOut ? { preemptionPolicy } : {}),
    },
  }
}
