import { expect, test } from 'vitest'
import type { PersistentVolume } from '../api/kinds/persistent-volume.ts'
import type { PersistentVolumeClaim } from '../api/kinds/persistent-volume-claim.ts'
import type { StorageClass } from '../api/kinds/storage-class.ts'
import { nextClaimStep } from './volume-claim-plan.ts'

interface ClaimFacts {
  readonly storageClassName?: string
  readonly volumeName?: string
  readonly volumeAttributesClassName?: string
  readonly phase?: string
  readonly node?: string
}

const claimOf = ({ phase = 'Pending', node, ...spec }: ClaimFacts = {}) =>
  ({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      name: 'data',
      namespace: 'default',
      uid: 'u1',
      ...(node ? { annotations: { 'volume.kubernetes.io/selected-node': node } } : {}),
    },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '2Gi' } }, ...spec },
    status: { phase },
  }) as PersistentVolumeClaim

const volumeOf = (name: string, storage: string, more: object = {}) =>
  ({
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name },
    spec: { capacity: { storage }, accessModes: ['ReadWriteOnce'], ...more },
  }) as PersistentVolume

const classOf = (volumeBindingMode: string, provisioner = 'x.example/csi') =>
  ({
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name: 'fast' },
    provisioner,
    volumeBindingMode,
  }) as StorageClass

const mine = { namespace: 'default', name: 'data' }
const cases: readonly [
  string,
  PersistentVolumeClaim,
  readonly PersistentVolume[],
  StorageClass | undefined,
  string,
  StorageClass?,
][] = [
  [
    'the smallest volume that is large enough',
    claimOf(),
    [volumeOf('big', '9Gi'), volumeOf('fits', '2Gi'), volumeOf('small', '1Gi')],
    undefined,
    'reserve fits',
  ],
  [
    'one of its class only',
    claimOf({ storageClassName: 'fast' }),
    [volumeOf('plain', '2Gi'), volumeOf('fast', '4Gi', { storageClassName: 'fast' })],
    classOf('Immediate'),
    'reserve fast',
  ],
  [
    'none that another has',
    claimOf({ storageClassName: '' }),
    [volumeOf('taken', '2Gi', { claimRef: { ...mine, name: 'other' } })],
    undefined,
    'wait FailedBinding',
  ],
  [
    'one that is reserved for it by name',
    claimOf({ storageClassName: '' }),
    [volumeOf('free', '2Gi'), volumeOf('kept', '2Gi', { claimRef: mine })],
    undefined,
    'bind kept',
  ],
  [
    'one of another access mode never',
    claimOf({ storageClassName: '' }),
    [volumeOf('rox', '2Gi', { accessModes: ['ReadOnlyMany'] })],
    undefined,
    'wait FailedBinding',
  ],
  ['a new one', claimOf({ storageClassName: 'fast' }), [], classOf('Immediate'), 'provision pvc-u1'],
  ['nothing while no class is the default one', claimOf(), [], undefined, 'wait FailedBinding'],
  ['the default class, once there is one', claimOf(), [], undefined, 'classify fast', classOf('Immediate')],
  [
    'a volume without class before the default class',
    claimOf(),
    [volumeOf('plain', '2Gi')],
    undefined,
    'reserve plain',
    classOf('Immediate'),
  ],
  [
    'not what it names when that is too small',
    claimOf({ volumeName: 'small' }),
    [volumeOf('small', '1Gi')],
    undefined,
    'wait VolumeMismatch',
  ],
  [
    'not what it names when that is of another class',
    claimOf({ volumeName: 'plain', storageClassName: 'fast' }),
    [volumeOf('plain', '2Gi')],
    classOf('Immediate'),
    'wait VolumeMismatch',
  ],
  ['nothing while what it names is missing', claimOf({ volumeName: 'kept' }), [], undefined, 'wait'],
  [
    'word that its volume has gone to another',
    claimOf({ volumeName: 'kept', phase: 'Bound' }),
    [volumeOf('kept', '2Gi', { claimRef: { ...mine, uid: 'u2' } })],
    undefined,
    'lose ClaimMisbound',
  ],
  [
    'a new one, also of a class nobody declares',
    claimOf({ storageClassName: 'gp3' }),
    [],
    undefined,
    'provision pvc-u1',
  ],
  ['nothing new of the class ""', claimOf({ storageClassName: '' }), [], undefined, 'wait FailedBinding'],
  [
    'nothing new without a provisioner',
    claimOf({ storageClassName: 'fast' }),
    [],
    classOf('Immediate', 'kubernetes.io/no-provisioner'),
    'wait ProvisioningFailed',
  ],
  [
    'nothing before the scheduler has chosen',
    claimOf({ storageClassName: 'fast' }),
    [volumeOf('fast', '4Gi', { storageClassName: 'fast' })],
    classOf('WaitForFirstConsumer'),
    'wait WaitForFirstConsumer',
  ],
  [
    'a new one where the scheduler has chosen',
    claimOf({ storageClassName: 'fast', node: 'a' }),
    [],
    classOf('WaitForFirstConsumer'),
    'provision pvc-u1',
  ],
  ['what it names', claimOf({ volumeName: 'kept' }), [volumeOf('kept', '2Gi')], undefined, 'reserve kept'],
  [
    'what it names, once that knows',
    claimOf({ volumeName: 'kept' }),
    [volumeOf('kept', '2Gi', { claimRef: { ...mine, uid: 'u1' } })],
    undefined,
    'confirm kept',
  ],
  [
    'nothing that has gone to another of its name',
    claimOf({ volumeName: 'kept' }),
    [volumeOf('kept', '2Gi', { claimRef: { ...mine, uid: 'u0' } })],
    undefined,
    'wait FailedBinding',
  ],
  [
    'nothing more',
    claimOf({ volumeName: 'kept', phase: 'Bound' }),
    [volumeOf('kept', '2Gi', { claimRef: { ...mine, uid: 'u1' } })],
    undefined,
    'wait',
  ],
  [
    'the loss of its volume',
    claimOf({ volumeName: 'kept', phase: 'Bound' }),
    [],
    undefined,
    'lose ClaimLost',
  ],
]
test.each(cases)('A claim gets %s', (_, claim, volumes, from, expected, byDefault = undefined) => {
  const step = nextClaimStep(claim, volumes, { own: from, byDefault })
  const about =
    'volume' in step
      ? step.volume.metadata.name
      : 'remark' in step
        ? step.remark?.reason
        : 'className' in step
          ? step.className
          : undefined
  expect(about === undefined ? step.type : `${step.type} ${about}`).toBe(expected)
})

test('A claim that waits for its pod to be scheduled names it', () => {
  const claim = claimOf({ storageClassName: 'fast' })
  const own = classOf('WaitForFirstConsumer')
  const said = (waiting: string[]) => {
    const step = nextClaimStep(claim, [], { own, waiting })
    return 'remark' in step ? `${step.remark?.reason}: ${step.remark?.message}` : ''
  }
  expect(said(['web-0'])).toBe('WaitForPodScheduled: waiting for pod web-0 to be scheduled')
  expect(said(['a', 'b'])).toBe('WaitForPodScheduled: waiting for pods a,b to be scheduled')
})

test('A claim gets only a volume of the VolumeAttributesClass it asks for', () => {
  const claim = claimOf({ storageClassName: '', volumeAttributesClassName: 'gold' })
  const plain = volumeOf('plain', '2Gi')
  const gold = volumeOf('gold', '4Gi', { volumeAttributesClassName: 'gold' })
  expect(nextClaimStep(claim, [plain, gold], { own: undefined })).toEqual({ type: 'reserve', volume: gold })
  expect(nextClaimStep(claim, [plain], { own: undefined })).toMatchObject({ type: 'wait' })
  const named = claimOf({ storageClassName: '', volumeAttributesClassName: 'gold', volumeName: 'plain' })
  expect(nextClaimStep(named, [plain], { own: undefined })).toMatchObject({
    remark: { message: 'Cannot bind to requested volume "plain": volumeAttributesClassName does not match' },
  })
})
