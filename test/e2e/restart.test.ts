import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { repositoryOf } from '../support/e2e-cluster.ts'
import { findKubectl, kubectl } from '../support/kubectl.ts'
import { missingForE2e, type Seamark, startSeamark, temporaryFolder } from '../support/seamark-events.ts'

const MANIFESTS = `
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: default}
spec:
  containers:
  - {name: app, image: "registry.example/web:1", volumeMounts: [{name: scratch, mountPath: /scratch}]}
  volumes: [{name: scratch, emptyDir: {}}]
---
apiVersion: seamark.dev/v1alpha1
kind: SimulatedImage
metadata: {name: job}
spec: {images: ["registry.example/job:1"], exit: {code: 0, after: 1s, message: all done}, logs: [counted 42 sheep]}
---
apiVersion: v1
kind: Pod
metadata: {name: once, namespace: default}
spec:
  restartPolicy: Never
  containers: [{name: app, image: "registry.example/job:1"}]
`

const missing = missingForE2e() ?? findKubectl().reason
if (missing) console.warn(`e2e of restarts skipped: ${missing}`)

describe.skipIf(missing)('a control plane that is stopped and started on the same data', () => {
  const folder = temporaryFolder()
  let repository: string
  let seamark: Seamark
  const ok = async (...args: readonly string[]) => {
    const ran = await kubectl(seamark.kubeconfig, args)
    expect(ran.code, `kubectl ${args.join(' ')}: ${ran.stderr}`).toBe(0)
    return ran.stdout
  }
  const start = async () => {
    seamark = startSeamark(repository)
    await seamark.until(({ type }) => type === 'healthy')
  }
  const stop = async () => {
    seamark.signal('SIGTERM')
    await seamark.ended
  }

  beforeAll(async () => {
    repository = repositoryOf(folder.path, { 'all.yaml': MANIFESTS }).path
    await start()
  })
  afterAll(async () => {
    await stop()
    folder.remove()
  })

  test('goes on with its containers: no restart, and all that they wrote is there', async () => {
    const id = () => ok('get', 'pod', 'web', '-o', 'jsonpath={.status.containerStatuses[0].containerID}')
    const phase = () => ok('get', 'pod', 'once', '-o', 'jsonpath={.status.phase}')
    await expect.poll(phase, { timeout: 15_000 }).toBe('Succeeded')
    const before = await id()
    await ok('exec', 'web', '--', 'sh', '-c', 'echo kept > /scratch/note; echo mine > /tmp/note')
    await stop()
    await start()
    expect(await id()).toBe(before)
    expect(await ok('get', 'pod', 'web', '--no-headers')).toMatch(/^web +1\/1 +Running +0 /)
    expect(await ok('exec', 'web', '--', 'cat', '/scratch/note', '/tmp/note')).toBe('kept\nmine\n')
    expect(await ok('logs', 'once')).toContain('counted 42 sheep')
    expect(await ok('describe', 'pod', 'once')).toMatch(/Reason: +Completed\n +Message: +all done\n/)
  })

  test('forgets what a pod wrote together with the pod', async () => {
    await ok('delete', 'pod', 'web', '--grace-period=1')
    const web = () => kubectl(seamark.kubeconfig, ['get', 'pod', 'web', '-o', 'jsonpath={.status.phase}'])
    await expect.poll(async () => (await web()).stdout, { timeout: 20_000 }).toBe('Running')
    expect(await ok('exec', 'web', '--', 'ls', '/scratch')).toBe('')
  })
})
