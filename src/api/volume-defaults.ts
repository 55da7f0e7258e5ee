import type {
  V1DownwardAPIVolumeFile,
  V1ObjectFieldSelector,
  V1Volume,
  V1VolumeProjection,
} from './generated/types.ts'
import { pullPolicyOf } from './image-name.ts'

/** 0644: what files of a ConfigMap, Secret, downward API or projected volume are given. */
const MODE = 0o644
const TOKEN_SECONDS = 3600

/** The defaults of one volume; a volume that names no source is an emptyDir. */
export function defaultVolume(volume: V1Volume): V1Volume {
  const { configMap, secret, downwardAPI, projected, hostPath, image, ephemeral, iscsi, rbd } = volume
  if (configMap) return { ...volume, configMap: { ...configMap, defaultMode: configMap.defaultMode ?? MODE } }
  if (secret) return { ...volume, secret: { ...secret, defaultMode: secret.defaultMode ?? MODE } }
  if (downwardAPI) {
    const items = downwardAPI.items ? { items: downwardAPI.items.map(defaultFile) } : {}
    return {
      ...volume,
      downwardAPI: { ...downwardAPI, ...items, defaultMode: downwardAPI.defaultMode ?? MODE },
    }
  }
  if (projected) {
    const sources = projected.sources ? { sources: projected.sources.map(defaultProjection) } : {}
    return { ...volume, projected: { ...projected, ...sources, defaultMode: projected.defaultMode ?? MODE } }
  }
  if (hostPath) return { ...volume, hostPath: { ...hostPath, type: hostPath.type ?? '' } }
  if (image)
    return {
      ...volume,
      image: { ...image, pullPolicy: image.pullPolicy || pullPolicyOf(image.reference ?? '') },
    }
  if (ephemeral?.volumeClaimTemplate) {
    const { volumeClaimTemplate: template } = ephemeral
    const spec = { ...template.spec, volumeMode: template.spec?.volumeMode ?? 'Filesystem' }
    return { ...volume, ephemeral: { ...ephemeral, volumeClaimTemplate: { ...template, spec } } }
  }
  if (iscsi) return { ...volume, iscsi: { ...iscsi, iscsiInterface: iscsi.iscsiInterface || 'default' } }
  if (rbd)
    return {
      ...volume,
      rbd: {
        ...rbd,
        pool: rbd.pool || 'rbd',
        user: rbd.user || 'admin',
        keyring: rbd.keyring || '/etc/ceph/keyring',
      },
    }
  const hasSource = Object.entries(volume).some(([key, value]) => key !== 'name' && value !== undefined)
  return hasSource ? volume : { ...volume, emptyDir: {} }
}

export function defaultFieldRef(ref: V1ObjectFieldSelector): V1ObjectFieldSelector {
  return ref.apiVersion ? ref : { ...ref, apiVersion: 'v1' }
}

function defaultFile(file: V1DownwardAPIVolumeFile): V1DownwardAPIVolumeFile {
  return file.fieldRef ? { ...file, fieldRef: defaultFieldRef(file.fieldRef) } : file
}

function defaultProjection(source: V1VolumeProjection): V1VolumeProjection {
  const { serviceAccountToken: token, downwardAPI } = source
  return {
    ...source,
    ...(token
      ? { serviceAccountToken: { ...token, expirationSeconds: token.expirationSeconds ?? TOKEN_SECONDS } }
      : {}),
    ...(downwardAPI?.items
      ? { downwardAPI: { ...downwardAPI, items: downwardAPI.items.map(defaultFile) } }
      : {}),
  }
}
