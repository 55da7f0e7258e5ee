import { isObject } from '../base/json.ts'
import type { Pod } from './kinds/pod.ts'

/** The other objects of its namespace that a pod's node must read to run it, by plural. Pure. */
export interface PodReferences {
  readonly secrets: ReadonlySet<string>
  readonly configmaps: ReadonlySet<string>
  readonly persistentvolumeclaims: ReadonlySet<string>
  readonly serviceaccounts: ReadonlySet<string>
  readonly resourceclaims: ReadonlySet<string>
}

/** Fields of a pod's spec that hold a name, wherever they stand. */
const SECRET_FIELDS = new Set(['secretRef', 'secretKeyRef', 'nodePublishSecretRef'])
const CONFIG_FIELDS = new Set(['configMapRef', 'configMapKeyRef', 'configMap'])

export function podReferences({ metadata, spec, status }: Pod): PodReferences {
  const secrets = new Set((spec.imagePullSecrets ?? []).map(({ name }) => name ?? ''))
  const configmaps = new Set<string>()
  const persistentvolumeclaims = new Set<string>()
  const open: unknown[] = [spec.volumes, spec.containers, spec.initContainers, spec.ephemeralContainers]
  while (open.length > 0) {
    const item = open.pop()
    if (Array.isArray(item)) open.push(...item)
    if (!isObject(item)) continue
    for (const [field, value] of Object.entries(item)) {
      if (!isObject(value)) {
        if (Array.isArray(value)) open.push(value)
        continue
      }
      const name = value['name'] ?? value['secretName'] ?? value['claimName']
      if (typeof name === 'string') {
        if (SECRET_FIELDS.has(field) || field === 'secret') secrets.add(name)
        else if (CONFIG_FIELDS.has(field)) configmaps.add(name)
        else if (field === 'persistentVolumeClaim') persistentvolumeclaims.add(name)
      }
      open.push(value)
    }
  }
  for (const { name, ephemeral } of spec.volumes ?? [])
    if (ephemeral) persistentvolumeclaims.add(`${metadata.name}-${name}`)
  const claims = [
    ...(spec.resourceClaims ?? []).map(({ resourceClaimName }) => resourceClaimName),
    ...(status?.resourceClaimStatuses ?? []).map(({ resourceClaimName }) => resourceClaimName),
  ]
  return {
    secrets,
    configmaps,
    persistentvolumeclaims,
    serviceaccounts: new Set(spec.serviceAccountName ? [spec.serviceAccountName] : []),
    resourceclaims: new Set(claims.filter((name) => name !== undefined)),
  }
}
