import { isOwn, type Plugin } from '../plugin.ts'

/** Pods with scheduling gates are not tried until the last gate is gone. */
export const schedulingGates: Plugin = {
  name: 'SchedulingGates',
  preEnqueue({ pod }) {
    const gates = pod.spec.schedulingGates ?? []
    if (gates.length === 0) return undefined
    return `waiting for scheduling gates: [${gates.map(({ name }) => name).join(' ')}]`
  },
  hints: { 'pod-updated': isOwn },
}
