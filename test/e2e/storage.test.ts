import { describe, expect, test } from 'vitest'
import { e2eCluster, repositoryOf } from '../support/e2e-cluster.ts'
import { findKubectl } from '../support/kubectl.ts'
import { missingForE2e } from '../support/seamark-events.ts'

const missing = missingForE2e() ?? findKubectl().reason
if (missing) console.warn(`e2e of storage skipped: ${missing}`)

const DATABASE = `
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: db }
spec:
  serviceName: db
  replicas: 2
  selector: { matchLabels: { app: db } }
  template:
    metadata: { labels: { app: db } }
    spec:
      containers:
        - name: app
          image: registry.example/db:1
          volumeMounts: [{ name: data, mountPath: /data }]
  volumeClaimTemplates:
    - metadata: { name: data }
      spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 1Gi } } }
`
/** No pod mounts it: with the default class it waits for one. */
const SPARE = `
apiVersion: v1
kind: PersistentVolumeClaim
metadata: { name: spare }
spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 1Gi } } }
`

describe.skipIf(missing)('storage, with a real process and kubectl', () => {
  const cluster = e2eCluster((folder) => repositoryOf(folder, { 'db.yaml': DATABASE, 'spare.yaml': SPARE }))
  const { run, ok } = cluster

  test('each pod of a StatefulSet has a volume of the default class, on its own node', async () => {
    expect(await ok('rollout status statefulset/db --timeout=30s')).toContain('2 new pods have been updated')
    expect(await ok('get storageclass')).toMatch(
      /standard \(default\) +seamark\.dev\/hostpath +Delete +WaitForFirstConsumer +true/,
    )
    const claims = await ok('get pvc')
    expect(claims).toMatch(/data-db-0 +Bound +pvc-\S+ +1Gi +RWO +standard/)
    expect(claims).toMatch(/data-db-1 +Bound +pvc-\S+ +1Gi +RWO +standard/)
    const volume = await ok('get pvc data-db-0 -o jsonpath={.spec.volumeName}')
    expect(await ok(`describe pv ${volume}`)).toContain(await ok('get pod db-0 -o jsonpath={.spec.nodeName}'))
  })

  test('a claim nobody mounts waits, says why, and holds no commit up', async () => {
    expect(await ok('get pvc spare')).toMatch(/spare +Pending +standard/)
    expect(await ok('describe pvc spare')).toContain(
      'waiting for first consumer to be created before binding',
    )
  })

  test('a pod that comes back finds its volume; a claim grows and does not shrink', async () => {
    const volume = await ok('get pvc data-db-1 -o jsonpath={.spec.volumeName}')
    await ok('delete pod db-1 --now')
    await ok('wait --for=create pod/db-1 --timeout=30s')
    await ok('wait --for=condition=Ready pod/db-1 --timeout=30s')
    expect(await ok('get pvc data-db-1 -o jsonpath={.spec.volumeName}')).toBe(volume)
    const asking = (storage: string) =>
      run(`patch pvc data-db-1 -p {"spec":{"resources":{"requests":{"storage":"${storage}"}}}}`)
    expect((await asking('2Gi')).code).toBe(0)
    await ok('wait --for=jsonpath={.status.capacity.storage}=2Gi pvc/data-db-1 --timeout=20s')
    expect(await ok(`get pv ${volume}`)).toMatch(/ 2Gi +RWO +Delete +Bound +default\/data-db-1 +standard/)
    expect((await asking('1Gi')).stderr).toContain('field can not be less than status.capacity')
  })

  test('a declared volume outlives its claim when it is to be retained', async () => {
    const volume = {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'archive' },
      spec: { capacity: { storage: '5Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/archive' } },
    }
    const claim = {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'old' },
      spec: {
        storageClassName: '',
        accessModes: ['ReadWriteOnce'],
        resources: { requests: { storage: '5Gi' } },
      },
    }
    await ok('create -f -', JSON.stringify(volume))
    await ok('wait --for=jsonpath={.status.phase}=Available pv/archive --timeout=20s')
    await ok('create -f -', JSON.stringify(claim))
    await ok('wait --for=jsonpath={.status.phase}=Bound pvc/old --timeout=20s')
    await ok('delete pvc old --timeout=20s')
    await ok('wait --for=jsonpath={.status.phase}=Released pv/archive --timeout=20s')
  })
})
