/**
 * Volume plugins that were part of Kubernetes and the CSI drivers that took them over. A node's CSINode lists in an
 * annotation which of them it has handed over; only there do their volumes count as the driver's.
 */
import type { V1PersistentVolumeSpec, V1Volume } from '../../api/generated/types.ts'
import type { CSINode } from '../../api/kinds/csi-node.ts'
import type { PersistentVolume } from '../../api/kinds/persistent-volume.ts'

const MIGRATED = 'storage.alpha.kubernetes.io/migrated-plugins'

type Source = Pick<
  V1Volume & V1PersistentVolumeSpec,
  | 'awsElasticBlockStore'
  | 'azureDisk'
  | 'azureFile'
  | 'cinder'
  | 'gcePersistentDisk'
  | 'portworxVolume'
  | 'vsphereVolume'
>

interface InTree {
  /** As a StorageClass names it. */
  readonly plugin: string
  readonly driver: string
  readonly volumeIn: (source: Source) => string | undefined
}

const IN_TREE: readonly InTree[] = [
  {
    plugin: 'kubernetes.io/aws-ebs',
    driver: 'ebs.csi.aws.com',
    volumeIn: ({ awsElasticBlockStore }) => awsElasticBlockStore?.volumeID,
  },
  {
    plugin: 'kubernetes.io/gce-pd',
    driver: 'pd.csi.storage.gke.io',
    volumeIn: ({ gcePersistentDisk }) => gcePersistentDisk?.pdName,
  },
  {
    plugin: 'kubernetes.io/azure-disk',
    driver: 'disk.csi.azure.com',
    volumeIn: ({ azureDisk }) => azureDisk?.diskURI,
  },
  {
    plugin: 'kubernetes.io/azure-file',
    driver: 'file.csi.azure.com',
    volumeIn: ({ azureFile }) => azureFile?.shareName,
  },
  {
    plugin: 'kubernetes.io/cinder',
    driver: 'cinder.csi.openstack.org',
    volumeIn: ({ cinder }) => cinder?.volumeID,
  },
  {
    plugin: 'kubernetes.io/vsphere-volume',
    driver: 'csi.vsphere.vmware.com',
    volumeIn: ({ vsphereVolume }) => vsphereVolume?.volumePath,
  },
  {
    plugin: 'kubernetes.io/portworx-volume',
    driver: 'pxd.portworx.com',
    volumeIn: ({ portworxVolume }) => portworxVolume?.volumeID,
  },
]

/** What tells one volume from another, and the driver it counts for. */
interface DriverVolume {
  readonly volume: string
  readonly driver: string
}

export function driverOf({ spec }: PersistentVolume, csi: CSINode | undefined): DriverVolume | undefined {
  if (!spec) return undefined
  return spec.csi
    ? { volume: `${spec.csi.driver}/${spec.csi.volumeHandle}`, driver: spec.csi.driver }
    : volumeOf(spec, (plugin) => isMigrated(plugin, csi))
}

/** A volume a pod names without a claim. Without a CSINode: of any plugin that may have been handed over. */
export function inTreeVolume(volume: V1Volume, csi?: CSINode): DriverVolume | undefined {
  return volumeOf(volume, (plugin) => csi === undefined || isMigrated(plugin, csi))
}

/** Undefined: the provisioner's volumes are not counted on the node. */
export function migratedDriver(provisioner: string | undefined, csi: CSINode): string | undefined {
  const inTree = IN_TREE.find(({ plugin }) => plugin === provisioner)
  if (!inTree) return provisioner
  return isMigrated(inTree.plugin, csi) ? inTree.driver : undefined
}

function volumeOf(source: Source, isCounted: (plugin: string) => boolean): DriverVolume | undefined {
  for (const { plugin, driver, volumeIn } of IN_TREE) {
    const name = volumeIn(source)
    if (name !== undefined) return isCounted(plugin) ? { volume: `${driver}/${name}`, driver } : undefined
  }
  return undefined
}

function isMigrated(plugin: string, csi: CSINode | undefined): boolean {
  return migratedPlugins(csi).split(',').includes(plugin)
}

/** As the node lists them; '' is none. */
export function migratedPlugins(csi: CSINode | undefined): string {
  return csi?.metadata.annotations?.[MIGRATED] ?? ''
}
