import { expect, test } from 'vitest'
import type { PersistentVolume } from '../api/kinds/persistent-volume.ts'
import { PROVISIONED_BY } from './volume-claim-plan.ts'
import { reclaim } from './volume-reclaim.ts'

const made = { annotations: { [PROVISIONED_BY]: 'seamark.dev/hostpath' } }
const csi = { csi: { driver: 'csi.example.com', volumeHandle: 'disk-0' } }
const at = (path: string) => ({ hostPath: { path } })
const cases: readonly [string, string, object, object, string][] = [
  ['Retain keeps it', 'Retain', {}, csi, 'keep'],
  ['Retain keeps what was made here too', 'Retain', made, at('/var/x'), 'keep'],
  ['Delete deletes what was made here', 'Delete', made, at('/var/x'), 'delete'],
  ['Delete deletes a folder of /tmp', 'Delete', {}, at('/tmp/x'), 'delete'],
  [
    'Delete leaves other folders of the node',
    'Delete',
    {},
    at('/data'),
    'host_path deleter only supports /tmp/.+ but received provided /data',
  ],
  [
    'Delete leaves what somebody else made',
    'Delete',
    {},
    csi,
    'error getting deleter volume plugin for volume "disk": no volume plugin matched',
  ],
  ['Recycle gives a folder back', 'Recycle', {}, at('/data'), 'recycle'],
  ['Recycle cannot give a disk back', 'Recycle', {}, csi, 'No recycler plugin found for the volume!'],
]
test.each(cases)('A volume whose claim is gone: %s', (_, policy, metadata, source, expected) => {
  const volume = {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: 'disk', ...metadata },
    spec: { persistentVolumeReclaimPolicy: policy, ...source },
  } as PersistentVolume
  const fate = reclaim(volume)
  expect(fate.type === 'fail' ? fate.message : fate.type).toBe(expected)
})
