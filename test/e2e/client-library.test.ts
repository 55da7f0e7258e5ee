import { type AddressInfo, connect, createServer } from 'node:net'
import { PassThrough } from 'node:stream'
import * as k8s from 'client-node-1'
import { beforeAll, describe, expect, test } from 'vitest'
import { e2eCluster } from '../support/e2e-cluster.ts'
import { oneNamespace } from '../support/one-namespace.ts'
import { missingForE2e } from '../support/seamark-events.ts'

const missing = missingForE2e()
if (missing) console.warn(`e2e of the client library skipped: ${missing}`)

describe.skipIf(missing)('@kubernetes/client-node', () => {
  const cluster = e2eCluster((folder) => oneNamespace(folder, 'lib'))
  const config = new k8s.KubeConfig()
  let core: k8s.CoreV1Api
  beforeAll(() => {
    config.loadFromFile(cluster.seamark.kubeconfig)
    core = config.makeApiClient(k8s.CoreV1Api)
  })

  const namespace = 'lib'
  const settings = (name: string, data: Record<string, string>) => ({ metadata: { name }, data })
  const until = (matches: () => unknown) => expect.poll(matches, { timeout: 20_000, interval: 50 })

  test('keeps an informer that lists, follows, and goes on after its connection broke', async () => {
    const seen: string[] = []
    const informer = k8s.makeInformer(config, `/api/v1/namespaces/${namespace}/configmaps`, () =>
      core.listNamespacedConfigMap({ namespace }),
    )
    for (const event of ['add', 'update', 'delete'] as const)
      informer.on(event, ({ metadata }) => {
        if (metadata?.name !== 'kube-root-ca.crt') seen.push(`${event} ${metadata?.name}`)
      })
    let starts = 0
    informer.on('error', () => {
      starts += 1
      void informer.start()
    })
    await core.createNamespacedConfigMap({ namespace, body: settings('first', { a: '1' }) })
    await informer.start()
    await until(() => seen).toEqual(['add first'])
    await core.replaceNamespacedConfigMap({ namespace, name: 'first', body: settings('first', { a: '2' }) })
    await until(() => seen.at(-1)).toBe('update first')
    await informer.stop()
    await informer.start()
    await core.deleteNamespacedConfigMap({ namespace, name: 'first' })
    await until(() => seen.at(-1)).toBe('delete first')
    expect(starts).toBeLessThan(5)
    await informer.stop()
  })

  test('patches in each of its ways', async () => {
    await core.createNamespacedConfigMap({ namespace, body: settings('patched', { a: '1', b: '2' }) })
    const patch = async (body: object, type: string) => {
      const { data } = await core.patchNamespacedConfigMap(
        {
          namespace,
          name: 'patched',
          body,
          fieldManager: 'library',
          ...(type.includes('apply') ? { force: true } : {}),
        },
        k8s.setHeaderOptions('Content-Type', type),
      )
      return data
    }
    expect(
      await patch([{ op: 'replace', path: '/data/a', value: 'json' }], k8s.PatchStrategy.JsonPatch),
    ).toEqual({ a: 'json', b: '2' })
    expect(await patch({ data: { b: null, c: 'merge' } }, k8s.PatchStrategy.MergePatch)).toEqual({
      a: 'json',
      c: 'merge',
    })
    expect(await patch({ data: { c: 'strategic' } }, k8s.PatchStrategy.StrategicMergePatch)).toMatchObject({
      c: 'strategic',
    })
    const applied = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'patched', namespace },
      data: { c: 'applied' },
    }
    expect(await patch(applied, k8s.PatchStrategy.ServerSideApply)).toMatchObject({ c: 'applied' })
  })

  test('elects one leader by a Lease, and another when it is gone', async () => {
    const api = config.makeApiClient(k8s.CoordinationV1Api)
    const microTime = () => new k8s.V1MicroTime(new Date().toISOString())
    const lead = async (holderIdentity: string) => {
      const body = {
        metadata: { name: 'leader' },
        spec: { holderIdentity, leaseDurationSeconds: 15, renewTime: microTime() },
      }
      try {
        await api.createNamespacedLease({ namespace, body })
        return true
      } catch (error) {
        expect((error as { code: number }).code).toBe(409)
        return false
      }
    }
    const won = await Promise.all(['a', 'b', 'c'].map(lead))
    expect(won.filter(Boolean)).toHaveLength(1)
    const held = await api.readNamespacedLease({ namespace, name: 'leader' })
    const take = (holderIdentity: string) =>
      api
        .replaceNamespacedLease({
          namespace,
          name: 'leader',
          body: { ...held, spec: { ...held.spec, holderIdentity, renewTime: microTime() } },
        })
        .then(
          () => true,
          () => false,
        )
    // Both saw the same revision: only one may write upon it.
    expect((await Promise.all([take('d'), take('e')])).filter(Boolean)).toHaveLength(1)
  })

  test('runs a pod, reads its log, executes in it and reaches its port', async () => {
    const body = {
      metadata: { name: 'app', labels: { app: 'app' } },
      spec: {
        containers: [{ name: 'app', image: 'registry.example/app:1', ports: [{ containerPort: 8080 }] }],
      },
    }
    await core.createNamespacedPod({ namespace, body })
    await until(async () => (await core.readNamespacedPod({ namespace, name: 'app' })).status?.phase).toBe(
      'Running',
    )

    const log = new PassThrough()
    let text = ''
    log.on('data', (chunk: Buffer) => {
      text += chunk.toString()
    })
    await new k8s.Log(config).log(namespace, 'app', 'app', log, { follow: false })
    await until(() => text.length).toBeGreaterThan(0)

    const out = new PassThrough()
    let said = ''
    out.on('data', (chunk: Buffer) => {
      said += chunk.toString()
    })
    const status = await new Promise<k8s.V1Status>((resolve, reject) => {
      new k8s.Exec(config)
        .exec(namespace, 'app', 'app', ['sh', '-c', 'echo out; exit 3'], out, out, null, false, resolve)
        .catch(reject)
    })
    expect(said).toContain('out')
    expect(status.details?.causes).toContainEqual({ reason: 'ExitCode', message: '3' })

    const forward = new k8s.PortForward(config)
    const server = createServer(
      (socket) => void forward.portForward(namespace, 'app', [8080], socket, null, socket),
    )
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const answer = await new Promise<string>((resolve, reject) => {
      let heard = ''
      const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
      socket.on('data', (chunk) => {
        heard += chunk.toString()
        if (heard.includes('\r\n\r\n')) {
          resolve(heard)
          socket.destroy()
        }
      })
      socket.on('error', reject)
      socket.write('GET / HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n')
    })
    expect(answer).toMatch(/^HTTP\/1\.1 200/)
    server.close()
  })
})
