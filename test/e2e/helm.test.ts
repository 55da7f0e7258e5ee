import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { e2eCluster } from '../support/e2e-cluster.ts'
import { findHelm, kubectl } from '../support/kubectl.ts'
import { oneNamespace } from '../support/one-namespace.ts'
import { missingForE2e } from '../support/seamark-events.ts'

const { path: binary, reason } = findHelm()
const missing = missingForE2e() ?? reason
if (missing) console.warn(`e2e with helm skipped: ${missing}`)

const CHART = join(import.meta.dirname, 'charts/shop')
const BROKEN = `apiVersion: seamark.dev/v1alpha1
kind: SimulatedImage
metadata: {name: broken}
spec: {images: ["registry.example/shop/web:broken"], pullError: not found}
`

describe.skipIf(missing)('The real helm, on a chart with a definition, hooks, a lookup and a test', () => {
  const cluster = e2eCluster((folder) => oneNamespace(folder, 'shop', BROKEN))

  const home = mkdtempSync(join(tmpdir(), 'seamark-helm-'))
  const helm = (args: string) =>
    new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
      const env = {
        PATH: process.env['PATH'],
        HOME: home,
        KUBECONFIG: cluster.seamark.kubeconfig,
        HELM_NAMESPACE: 'shop',
      }
      execFile(binary ?? '', args.split(' '), { env }, (error, stdout, stderr) =>
        resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
      )
    })
  const ok = async (args: string) => {
    const { code, stdout, stderr } = await helm(args)
    expect(code, `helm ${args}: ${stderr}`).toBe(0)
    return stdout
  }
  const get = async (what: string) =>
    (await kubectl(cluster.seamark.kubeconfig, ['-n', 'shop', 'get', ...what.split(' ')])).stdout

  test('installs, and waits for what it installed', async () => {
    expect(existsSync(CHART)).toBe(true)
    expect(await ok(`install shop ${CHART} --wait --timeout 60s`)).toContain('STATUS: deployed')
    expect(await get('deployment shop-web -o jsonpath={.status.readyReplicas}')).toBe('2')
    expect(await get('job shop-migrate -o jsonpath={.status.succeeded}')).toBe('1')
    expect(await get('widget shop -o jsonpath={.spec.size}')).toBe('3')
    expect(await get('configmap shop-seen -o jsonpath={.data.namespace}')).toBe('default')
  })

  test('upgrades, remembers, and rolls back', async () => {
    await ok(`upgrade shop ${CHART} --set replicas=3 --wait --timeout 60s`)
    expect(await get('deployment shop-web -o jsonpath={.status.readyReplicas}')).toBe('3')
    expect(await ok('history shop')).toMatch(/1 .*superseded[\s\S]*2 .*deployed/)
    await ok('rollback shop 1 --wait --timeout 60s')
    expect(await get('deployment shop-web -o jsonpath={.spec.replicas}')).toBe('2')
    expect(await ok('test shop --timeout 60s')).toMatch(/Phase: +Succeeded/)
  })

  test('takes back an upgrade that does not come up', async () => {
    const { code } = await helm(
      `upgrade shop ${CHART} --set image=registry.example/shop/web:broken --rollback-on-failure --timeout 12s`,
    )
    expect(code).not.toBe(0)
    expect(await get('deployment shop-web -o jsonpath={.spec.template.spec.containers[0].image}')).toBe(
      'registry.example/shop/web:1',
    )
    expect(await ok('list')).toMatch(/shop\s.*deployed/)
  })

  test('uninstalls all but what hooks and definitions leave', async () => {
    await ok('uninstall shop --wait')
    expect(await get('deployment,service,configmap -l !none -o name')).not.toContain('shop-')
    expect(await get('crd widgets.example.com -o name')).toContain('widgets.example.com')
  })
})
