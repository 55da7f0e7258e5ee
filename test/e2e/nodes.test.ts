import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { e2eCluster, repositoryOf } from '../support/e2e-cluster.ts'
import { findKubectl } from '../support/kubectl.ts'
import { missingForE2e } from '../support/seamark-events.ts'

const MANIFESTS = `
apiVersion: seamark.dev/v1alpha1
kind: NodePool
metadata: {name: edge}
spec:
  count: 1
  template: {capacity: {cpu: "4", memory: 8Gi}}
  kubelet: {shutdownGracePeriod: 20s, shutdownGracePeriodCriticalPods: 5s, systemReserved: {cpu: 500m}}
  staticPods:
  - metadata: {name: proxy, labels: {app: proxy}}
    spec: {containers: [{name: app, image: "registry.example/proxy:1"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: default}
spec:
  containers:
  - {name: app, image: "registry.example/web:1", volumeMounts: [{name: shared, mountPath: /out}]}
  - {name: side, image: "registry.example/side:1", volumeMounts: [{name: shared, mountPath: /in}]}
  volumes: [{name: shared, emptyDir: {}}]
`

const SHUTDOWN = `
apiVersion: seamark.dev/v1alpha1
kind: Fault
metadata: {name: maintenance}
spec: {action: ShutdownNode, target: {nodes: [edge-0]}, duration: 5m}
`

const missing = missingForE2e() ?? findKubectl().reason
if (missing) console.warn(`e2e of nodes skipped: ${missing}`)

describe.skipIf(missing)('what people see of nodes, with a real kubectl', () => {
  const cluster = e2eCluster(
    (folder) => repositoryOf(folder, { 'all.yaml': MANIFESTS }),
    ['--store', 'memory'],
  )
  const run = (...args: readonly string[]) => cluster.run(args)
  const ok = (...args: readonly string[]) => cluster.ok(args)
  const phase = async () => (await run('get', 'pod', 'proxy-edge-0', '-o', 'jsonpath={.status.phase}')).stdout
  const uid = () => ok('get', 'pod', 'proxy-edge-0', '-o', 'jsonpath={.metadata.uid}')

  beforeAll(() => writeFileSync(join(cluster.folder, 'fault.yaml'), SHUTDOWN))

  test('a node is described with what it has, keeps and runs', async () => {
    await expect.poll(phase, { timeout: 15_000 }).toBe('Running')
    const text = await ok('describe', 'node', 'edge-0')
    expect(text).toMatch(/Allocatable:\n +cpu: +3500m\n/)
    expect(text).toMatch(/Ready +True .* KubeletReady +kubelet is posting ready status/)
    expect(text).toMatch(/Non-terminated Pods: +\(2 in total\)/)
    expect(text).toContain('default                     proxy-edge-0')
  })

  test('a static pod can be looked into, and comes back when its mirror is deleted', async () => {
    const before = await uid()
    expect(await ok('logs', 'proxy-edge-0')).toContain('container app started')
    expect(await ok('exec', 'proxy-edge-0', '--', 'hostname')).toBe('proxy-edge-0\n')
    expect(await ok('describe', 'pod', 'proxy-edge-0')).toMatch(/Controlled By: +Node\/edge-0[\s\S]*Started/)
    await ok('delete', 'pod', 'proxy-edge-0', '--wait=false')
    await expect.poll(uid, { timeout: 10_000 }).not.toBe(before)
    await expect.poll(phase, { timeout: 10_000 }).toBe('Running')
  })

  test('containers of a pod share an emptyDir', async () => {
    await ok('exec', 'web', '-c', 'app', '--', 'sh', '-c', 'echo hello > /out/note')
    expect(await ok('exec', 'web', '-c', 'side', '--', 'cat', '/in/note')).toBe('hello\n')
  })

  test('a drain passes static pods by', async () => {
    const before = await uid()
    const drained = await run('drain', 'edge-0', '--force', '--delete-emptydir-data', '--timeout=20s')
    expect(drained.stderr + drained.stdout).toContain('node/edge-0 drained')
    expect(await uid()).toBe(before)
  })

  test('a shutdown is said by the node, and ends the pod with its reason', async () => {
    await ok('create', '-f', join(cluster.folder, 'fault.yaml'))
    const ready = () =>
      ok('get', 'node', 'edge-0', '-o', 'jsonpath={.status.conditions[?(@.type=="Ready")].message}')
    await expect.poll(ready, { timeout: 10_000 }).toBe('node is shutting down')
    const reason = () => ok('get', 'pod', 'proxy-edge-0', '-o', 'jsonpath={.status.reason}')
    await expect.poll(reason, { timeout: 10_000 }).toBe('Terminated')
  })
})
