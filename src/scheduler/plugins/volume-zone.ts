import { persistentVolume } from '../../api/kinds/persistent-volume.ts'
import { persistentVolumeClaim } from '../../api/kinds/persistent-volume-claim.ts'
import { storageClass } from '../../api/kinds/storage-class.ts'
import { deepEqual } from '../../base/json.ts'
import { isOwnClaim, type Plugin } from '../plugin.ts'

const OTHER_ZONE = {
  plugin: 'VolumeZone',
  reasons: ['node(s) had no available volume zone'],
  resolvable: false,
}
/** Each with what it is called now. */
const ZONE_LABELS: Readonly<Record<string, string>> = {
  'topology.kubernetes.io/zone': 'topology.kubernetes.io/zone',
  'topology.kubernetes.io/region': 'topology.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone': 'topology.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region': 'topology.kubernetes.io/region',
}

/** A bound volume with zone labels goes to nodes of these zones only; several are written "a__b". */
export const volumeZone: Plugin<readonly { readonly key: string; readonly values: readonly string[] }[]> = {
  name: 'VolumeZone',
  watches: [persistentVolumeClaim, persistentVolume, storageClass],
  preFilter(pod, { objects }) {
    const wanted = pod.claims.flatMap((key) => {
      const name = objects.get(persistentVolumeClaim, key)?.spec?.volumeName
      const labels = name ? objects.get(persistentVolume, name)?.metadata.labels : undefined
      return Object.entries(zonesOf(labels)).map(([label, value]) => ({
        key: label,
        values: value.split('__'),
      }))
    })
    return wanted.length === 0 ? 'skip' : { state: wanted }
  },
  filter(_, { node }, wanted) {
    const labels = node.metadata.labels ?? {}
    if (Object.keys(zonesOf(labels)).length === 0) return undefined
    const fits = wanted.every(({ key, values }) =>
      values.includes(labels[key] ?? labels[ZONE_LABELS[key] ?? key] ?? ''),
    )
    return fits ? undefined : OTHER_ZONE
  },
  hints: {
    'node-added': () => true,
    'node-updated': (_, { node, previous }) =>
      !deepEqual(zonesOf(node.metadata.labels), zonesOf(previous.metadata.labels)),
    'object-changed': (pod, event) => {
      if (event.change === 'deleted') return false
      if (event.kind === storageClass) return event.change === 'added'
      if (event.kind === persistentVolumeClaim) return isOwnClaim(pod, event)
      return (
        event.kind === persistentVolume &&
        !deepEqual(zonesOf(event.resource.metadata.labels), zonesOf(event.previous?.metadata.labels))
      )
    },
  },
}

function zonesOf(labels: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(labels).filter(([label]) => Object.hasOwn(ZONE_LABELS, label)))
}
