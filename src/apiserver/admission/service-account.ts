import type { V1Container, V1Volume } from '../../api/generated/types.ts'
import { type Pod, pod as podKind } from '../../api/kinds/pod.ts'
import { type ServiceAccount, serviceAccount as serviceAccountKind } from '../../api/kinds/service-account.ts'
import type { AnyResource } from '../../api/resource.ts'
import { isMirrorPod, refersToSecret } from '../../api/static-pods.ts'
import { forbidden } from '../../api/status.ts'
import type { Env } from '../../base/env.ts'
import { type Admission, creationOf } from './admission.ts'

const DEFAULT = 'default'
const MOUNT_PATH = '/var/run/secrets/kubernetes.io/serviceaccount'
const VOLUME_PREFIX = 'kube-api-access-'
const SUFFIX_LENGTH = 5
/** An hour and a little: what says that nobody asked for this life. */
const TOKEN_SECONDS = 3607

/**
 * A pod that names no service account runs as "default"; one that names another must name one that exists, and takes
 * over its imagePullSecrets. "default" is made with the namespace by a controller, which a pod may be faster than.
 * Where the server gives out tokens (`tokens`) every container finds one, unless pod or account do not want it. A mirror
 * pod stays as its node has it, and may need nothing of the API.
 */
export function serviceAccountAdmission({ tokens }: { readonly tokens: boolean }): Admission {
  return {
    name: 'ServiceAccount',
    concerns: creationOf(podKind),
    async mutate({ object, reader, env }) {
      const pod = object as unknown as Pod
      if (isMirrorPod(pod)) return object
      const name = pod.spec.serviceAccountName || DEFAULT
      const { namespace } = pod.metadata
      const account = await reader.find(serviceAccountKind, { namespace, name })
      if (!account && name !== DEFAULT) {
        const why = `error looking up service account ${namespace}/${name}: serviceaccount "${name}" not found`
        throw forbidden(podKind, pod.metadata.name, why)
      }
      const secrets = pod.spec.imagePullSecrets?.length ? undefined : account?.imagePullSecrets
      const own: Pod = {
        ...pod,
        spec: {
          ...pod.spec,
          serviceAccountName: name,
          serviceAccount: name,
          ...(secrets?.length ? { imagePullSecrets: secrets } : {}),
        },
      }
      const mounts = tokens && isWanted(pod, account)
      return (mounts ? withToken(env, own) : own) as unknown as AnyResource
    },
    validate({ object }) {
      const why = isMirrorPod(object as unknown as Pod) ? whyNoMirror(object as unknown as Pod) : undefined
      if (why !== undefined) throw forbidden(podKind, object.metadata.name, why)
    },
  }
}

function whyNoMirror({ spec }: Pod): string | undefined {
  if (spec.serviceAccountName) return 'a mirror pod may not reference service accounts'
  if (refersToSecret(spec)) return 'a mirror pod may not reference secrets'
  const projects = spec.volumes?.some(({ projected }) =>
    projected?.sources?.some(({ serviceAccountToken }) => serviceAccountToken),
  )
  return projects ? 'a mirror pod may not use ServiceAccountToken volume projections' : undefined
}

function isWanted({ spec }: Pod, account: ServiceAccount | undefined): boolean {
  return spec.automountServiceAccountToken ?? account?.automountServiceAccountToken ?? true
}

/** A container that has something else at the place keeps it; the volume is there when anyone mounts it. */
function withToken(env: Env, pod: Pod): Pod {
  const { containers, initContainers, volumes = [] } = pod.spec
  const isFree = ({ volumeMounts = [] }: V1Container) =>
    volumeMounts.every(({ mountPath }) => mountPath !== MOUNT_PATH)
  if (![...containers, ...(initContainers ?? [])].some(isFree)) return pod
  const held = volumes.find((volume) => volume.name.startsWith(VOLUME_PREFIX))
  const volume = held ?? tokenVolume(`${VOLUME_PREFIX}${env.random.suffix(SUFFIX_LENGTH)}`)
  const mounted = (container: V1Container): V1Container => {
    if (!isFree(container)) return container
    const mount = { name: volume.name, mountPath: MOUNT_PATH, readOnly: true }
    return { ...container, volumeMounts: [...(container.volumeMounts ?? []), mount] }
  }
  return {
    ...pod,
    spec: {
      ...pod.spec,
      containers: containers.map(mounted),
      ...(initContainers ? { initContainers: initContainers.map(mounted) } : {}),
      volumes: held ? volumes : [...volumes, volume],
    },
  }
}

const FILES = {
  defaultMode: 0o644,
  sources: [
    { serviceAccountToken: { expirationSeconds: TOKEN_SECONDS, path: 'token' } },
    { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
    {
      downwardAPI: {
        items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
      },
    },
  ],
}

function tokenVolume(name: string): V1Volume {
  return { name, projected: FILES }
}
