import type { V1Container, V1PodSpec } from '../api/generated/types.ts'
import { parseQuantity } from '../api/quantity.ts'

/**
 * The field of a pod spec that the scheduler's plugin looked at when it rejected the pod: for a resource, the request of
 * the container that asks for most of it. `message` is the scheduler's own. Pure; the field is relative to the spec.
 */
export function rejectedField(spec: V1PodSpec, plugin: string | undefined, message: string): string {
  switch (plugin) {
    case 'NodeResourcesFit': {
      const resource = /Insufficient (\S+?)[.,]?(?:\s|$)/.exec(message)?.[1]
      if (resource === undefined) return 'containers'
      const container = largest(spec.containers ?? [], (each) => requestOf(each, resource))
      return `containers[${container}].resources.requests.${resource}`
    }
    case 'NodePorts':
      return `containers[${largest(spec.containers ?? [], ({ ports }) => ports?.filter(({ hostPort }) => hostPort).length ?? 0)}].ports`
    case 'NodeAffinity':
      return spec.nodeSelector ? 'nodeSelector' : 'affinity.nodeAffinity'
    case 'NodeName':
      return 'nodeName'
    case 'PodTopologySpread': {
      const hard = (spec.topologySpreadConstraints ?? []).findIndex(
        ({ whenUnsatisfiable }) => whenUnsatisfiable === 'DoNotSchedule',
      )
      return `topologySpreadConstraints[${Math.max(0, hard)}]`
    }
    case 'InterPodAffinity':
      if (message.includes("didn't match pod affinity rules")) return 'affinity.podAffinity'
      return spec.affinity?.podAntiAffinity ? 'affinity.podAntiAffinity' : 'affinity'
    case 'VolumeBinding':
    case 'VolumeZone':
    case 'VolumeRestrictions':
    case 'NodeVolumeLimits':
      return 'volumes'
    case 'DynamicResources':
      return 'resourceClaims'
    default:
      return 'tolerations'
  }
}

function requestOf({ resources }: V1Container, resource: string): number {
  const text = resources?.requests?.[resource] ?? resources?.limits?.[resource]
  return text === undefined ? 0 : parseQuantity(text)
}

function largest(containers: readonly V1Container[], size: (container: V1Container) => number): number {
  const sizes = containers.map(size)
  return Math.max(0, sizes.indexOf(Math.max(...sizes)))
}
