import { execFileSync } from 'node:child_process'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { e2eCluster, repositoryOf } from '../support/e2e-cluster.ts'
import { findKubectl } from '../support/kubectl.ts'
import { missingForE2e } from '../support/seamark-events.ts'

const missing = missingForE2e() ?? findKubectl().reason
if (missing) console.warn(`e2e of the scheduler skipped: ${missing}`)

const POOL = `
apiVersion: seamark.dev/v1alpha1
kind: NodePool
metadata: { name: worker }
spec: { count: 2, zones: [a, b], template: { capacity: { cpu: "2", memory: 4Gi } } }
`

describe.skipIf(missing)('the scheduler, with a real process and kubectl', () => {
  const cluster = e2eCluster((folder) => repositoryOf(folder, { 'pool.yaml': POOL }))
  const { ok } = cluster
  const pod = (name: string, cpu: string, more = '') =>
    ok(
      'create -f -',
      `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"${name}"},"spec":{"terminationGracePeriodSeconds":0,${more}"containers":[{"name":"app","image":"registry.example/app:1","resources":{"requests":{"cpu":"${cpu}"}}}]}}`,
    )
  const scheduled = (name: string) => ok(`wait --for=condition=PodScheduled pod/${name} --timeout=20s`)
  const unschedulable = (name: string) =>
    ok(
      `wait --for=jsonpath={.status.conditions[?(@.type=="PodScheduled")].reason}=Unschedulable pod/${name} --timeout=20s`,
    )
  const nodeOf = (name: string) => ok(`get pod ${name} -o jsonpath={.spec.nodeName}`)
  const attempts = async (name: string) => {
    const counts = await ok(
      `get events --field-selector involvedObject.name=${name},reason=FailedScheduling -o jsonpath={.items[*].count}`,
    )
    return counts.split(' ').reduce((sum, count) => sum + Number(count), 0)
  }

  beforeAll(async () => {
    await ok('wait --for=condition=Ready nodes --all --timeout=20s')
  })
  afterEach(() => ok('delete pods --all --wait=true'))

  test('describe says where a pod went, and why another goes nowhere', async () => {
    await pod('small', '100m')
    await pod('big', '64')
    await scheduled('small')
    await unschedulable('big')
    expect(await ok('describe pod small')).toMatch(
      /Normal +Scheduled +\S+ +default-scheduler +Successfully assigned default\/small to worker-[01]/,
    )
    expect(await ok('describe pod big')).toMatch(
      /Warning +FailedScheduling +\S+ +default-scheduler +0\/2 nodes are available: 2 Insufficient cpu\. preemption: 0\/2 nodes are available: 2 Preemption is not helpful for scheduling\./,
    )
    expect(await ok('get pod big')).toMatch(/big +0\/1 +Pending/)
  })

  test('a label wakes the pod it helps, and no other', async () => {
    await pod('big', '64')
    await pod('picky', '100m', '"nodeSelector":{"disk":"ssd"},')
    await unschedulable('big')
    await unschedulable('picky')
    const before = await attempts('big')
    await ok('label node worker-1 disk=ssd')
    await scheduled('picky')
    expect(await nodeOf('picky')).toBe('worker-1')
    expect(await attempts('big')).toBe(before)
  })

  test('a cordon keeps pods away until it is lifted', async () => {
    await ok('cordon worker-0')
    await ok('cordon worker-1')
    await pod('waiting', '100m')
    await unschedulable('waiting')
    // Cordoning taints as well; whichever plugin is asked first names it.
    expect(
      await ok('get events --field-selector involvedObject.name=waiting -o jsonpath={.items[0].message}'),
    ).toContain('0/2 nodes are available: 2 node(s) were unschedulable')
    await ok('uncordon worker-0')
    await scheduled('waiting')
    expect(await nodeOf('waiting')).toBe('worker-0')
    await ok('uncordon worker-1')
  })

  test('a taint keeps pods away until it is gone', async () => {
    await ok('taint node worker-0 worker-1 dedicated=db:NoSchedule')
    await pod('waiting', '100m')
    await unschedulable('waiting')
    expect(await ok('describe pod waiting')).toContain('2 node(s) had untolerated taint(s)')
    await ok('taint node worker-1 dedicated-')
    await scheduled('waiting')
    expect(await nodeOf('waiting')).toBe('worker-1')
    await ok('taint node worker-0 dedicated-')
  })

  test('a pod that goes makes room for one that waits', async () => {
    await pod('one', '1500m')
    await pod('two', '1500m')
    await scheduled('one')
    await scheduled('two')
    await pod('waiting', '1500m')
    await unschedulable('waiting')
    const freed = await nodeOf('one')
    await ok('delete pod one')
    await scheduled('waiting')
    expect(await nodeOf('waiting')).toBe(freed)
  })

  test('a pod of higher priority takes the place of a lower one', async () => {
    await ok('create priorityclass high --value=1000')
    await pod('low-1', '1500m')
    await pod('low-2', '1500m')
    await scheduled('low-1')
    await scheduled('low-2')
    await pod('high', '1500m', '"priorityClassName":"high",')
    await scheduled('high')
    const events = await ok('get events --field-selector reason=Preempted -o jsonpath={.items[*].message}')
    expect(events).toMatch(/^Preempted by pod [0-9a-f-]{36} on node worker-[01]$/)
    expect((await ok('get pods -o name')).match(/low-/g)).toHaveLength(1)
  })

  test('a claim gets its volume where its first pod goes, and both go together', async () => {
    const claim = (name: string, more = '') =>
      ok(
        'create -f -',
        `{"apiVersion":"v1","kind":"PersistentVolumeClaim","metadata":{"name":"${name}"},"spec":{${more}"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}}}`,
      )
    const mounting = (name: string) =>
      `"volumes":[{"name":"data","persistentVolumeClaim":{"claimName":"${name}"}}],`
    await ok(
      'create -f -',
      '{"apiVersion":"storage.k8s.io/v1","kind":"StorageClass","metadata":{"name":"local"},"provisioner":"seamark.dev/hostpath","volumeBindingMode":"WaitForFirstConsumer"}',
    )
    await pod('early', '100m', mounting('missing'))
    await unschedulable('early')
    expect(await ok('describe pod early')).toContain('persistentvolumeclaim "missing" not found')
    await claim('missing')
    await scheduled('early')
    await claim('delayed', '"storageClassName":"local",')
    await pod('first', '100m', mounting('delayed'))
    await scheduled('first')
    const volume = await ok('get pvc delayed -o jsonpath={.spec.volumeName}')
    const node = await ok(
      `get pv ${volume} -o jsonpath={.spec.nodeAffinity.required.nodeSelectorTerms[0].matchExpressions[0].values[0]}`,
    )
    expect(node).toBe(await nodeOf('first'))
    expect(await ok('get pvc')).toMatch(/delayed +Bound +pvc-\S+ +1Gi +RWO +local/)
    await ok('delete pods --all --wait=true')
    await ok('delete pvc --all --wait=true')
    await ok(`wait --for=delete pv/${volume} --timeout=20s`)
  })

  test('a pod gets a device of its own, and gives it back', async () => {
    await ok(
      'create -f -',
      `
apiVersion: resource.k8s.io/v1
kind: DeviceClass
metadata: { name: gpu }
spec: { selectors: [{ cel: { expression: 'device.driver == "gpu.example.com"' } }] }
---
apiVersion: resource.k8s.io/v1
kind: ResourceSlice
metadata: { name: worker-1 }
spec:
  driver: gpu.example.com
  nodeName: worker-1
  pool: { name: worker-1, generation: 1, resourceSliceCount: 1 }
  devices: [{ name: gpu-0 }]
---
apiVersion: resource.k8s.io/v1
kind: ResourceClaimTemplate
metadata: { name: one-gpu }
spec: { spec: { devices: { requests: [{ name: gpu, exactly: { deviceClassName: gpu } }] } } }
`,
    )
    const claiming = '"resourceClaims":[{"name":"gpu","resourceClaimTemplateName":"one-gpu"}],'
    await pod('first', '100m', claiming)
    await scheduled('first')
    expect(await nodeOf('first')).toBe('worker-1')
    expect(await ok('get resourceclaims')).toMatch(/first-gpu-\S+ +allocated,reserved/)
    await pod('second', '100m', claiming)
    await unschedulable('second')
    expect(await ok('describe pod second')).toContain('2 cannot allocate all claims')
    await ok('delete pod first')
    await scheduled('second')
    expect(await nodeOf('second')).toBe('worker-1')
  })

  test('explain says what stands in the way, and the smallest change', async () => {
    await pod('big', '3')
    await unschedulable('big')
    const explain = (...more: string[]) =>
      execFileSync(
        process.execPath,
        ['dist/bin/seamark.js', 'explain', 'pod', 'big', '--kubeconfig', cluster.seamark.kubeconfig, ...more],
        { encoding: 'utf8' },
      )
    const said = explain()
    expect(said).toContain('default/big   waits for a node   default-scheduler')
    expect(said).toMatch(/worker-0 +NodeResourcesFit +Insufficient cpu/)
    expect(said).toContain('ask for at most 2 of cpu instead of 3   (2 nodes, such as worker-')
    const json = JSON.parse(explain('-o', 'json')) as {
      readonly nodes: readonly { readonly fits: boolean }[]
    }
    expect(json.nodes.map(({ fits }) => fits)).toEqual([false, false])
  })
})
