import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { formatKubeconfig, readKubeconfig } from '../../src/client/kubeconfig.ts'
import { e2eCluster, repositoryOf } from '../support/e2e-cluster.ts'
import { findKubectl, kubectl, kubectlStream } from '../support/kubectl.ts'
import { missingForE2e } from '../support/seamark-events.ts'

const MANIFESTS = `
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: default}
data: {colour: blue}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: default, labels: {app: web}}
spec:
  containers:
  - name: app
    image: shop/web:1
    ports: [{containerPort: 8080}]
    resources: {requests: {cpu: 100m, memory: 64Mi}}
    env: [{name: NODE, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}]
    volumeMounts: [{name: settings, mountPath: /etc/app}, {name: later, mountPath: /etc/later}]
  - name: side
    image: shop/side:1
  volumes:
  - {name: settings, configMap: {name: settings}}
  - {name: later, configMap: {name: later, optional: true}}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: default}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: seamark.dev/v1alpha1
kind: SimulatedImage
metadata: {name: web}
spec:
  images: ['shop/web:*']
  logs: [ready]
  logEvery: 200ms
  usage:
    cpu: 250m
    memory: 32Mi
    metrics: [{name: http_requests_per_second, value: 12500m}]
  commands: [{name: report, output: "all fine\\n", exitCode: 4}]
  http: [{port: 8080, path: /hello, body: "hi there\\n"}]
---
apiVersion: seamark.dev/v1alpha1
kind: SimulatedMetric
metadata: {name: queue, namespace: default}
spec: {labels: {of: orders}, value: "30"}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: workers, namespace: default}
spec:
  selector: {matchLabels: {app: workers}}
  template: {metadata: {labels: {app: workers}}, spec: {containers: [{name: app, image: shop/worker:1}]}}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: workers, namespace: default}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: workers}
  maxReplicas: 5
  metrics:
  - type: External
    external: {metric: {name: queue, selector: {matchLabels: {of: orders}}}, target: {type: AverageValue, averageValue: "15"}}
`

const missing = missingForE2e() ?? findKubectl().reason
if (missing) console.warn(`e2e of logs, exec and the like skipped: ${missing}`)

describe.skipIf(missing)('what people do inside pods, with a real kubectl', () => {
  const cluster = e2eCluster(
    (folder) => repositoryOf(folder, { 'all.yaml': MANIFESTS }),
    ['--store', 'memory'],
  )
  const { run } = cluster
  const ok = (...args: string[]) => cluster.ok(args)

  test('logs are shown, cut, timed, followed, and of every container', async () => {
    expect(await ok('logs', 'web', '-c', 'app', '--limit-bytes=39')).toBe(
      'seamark: container app started, simulat',
    )
    expect(await ok('logs', 'web', '-c', 'app', '--tail=2')).toBe('ready\nready\n')
    expect(await ok('logs', 'web', '-c', 'app', '--tail=1', '--timestamps')).toMatch(
      /^\d{4}-\d\d-\d\dT\S+Z ready\n$/,
    )
    // kubectl asks for all containers at once.
    const both = (await ok('logs', 'web', '--all-containers', '--prefix', '--tail=1')).split('\n').sort()
    expect(both).toEqual([
      '',
      '[pod/web/app] ready',
      '[pod/web/side] seamark: container side started, simulating shop/side:1',
    ])
    const following = kubectlStream(cluster.seamark.kubeconfig, [
      'logs',
      '-f',
      'web',
      '-c',
      'app',
      '--tail=1',
    ])
    await expect.poll(() => following.lines.length, { timeout: 10_000 }).toBeGreaterThan(3)
    following.stop()
    await following.ended
    expect((await run(['logs', 'web', '-c', 'app', '--previous'])).stderr).toContain(
      'previous terminated container "app" in pod "web" not found',
    )
  })

  test('exec runs commands with their exit codes, their input and their files', async () => {
    expect(await ok('exec', 'web', '-c', 'app', '--', 'cat', '/etc/app/colour')).toBe('blue')
    expect(await ok('exec', 'web', '-c', 'app', '--', 'sh', '-c', 'echo on $NODE')).toMatch(/^on \S+\n$/)
    expect(await run(['exec', 'web', '-c', 'app', '--', 'report'])).toMatchObject({
      code: 4,
      stdout: 'all fine\n',
    })
    expect(await run(['exec', 'web', '-c', 'app', '--', 'nginx'])).toMatchObject({ code: 127 })
    expect(
      await run(['exec', '-i', 'web', '-c', 'app', '--', 'wc', '-c'], 'x'.repeat(300_000)),
    ).toMatchObject({
      stdout: '300000\n',
    })
  })

  test('a container finds its token, which is good for the API, and where the services are', async () => {
    const inside = (...command: string[]) => ok('exec', 'web', '-c', 'app', '--', ...command)
    const place = '/var/run/secrets/kubernetes.io/serviceaccount'
    expect(await inside('ls', place)).toBe('ca.crt\nnamespace\ntoken\n')
    expect(await inside('cat', `${place}/namespace`)).toBe('default')
    expect(await inside('cat', `${place}/ca.crt`)).toMatch(/^-----BEGIN CERTIFICATE-----/)
    const token = await inside('cat', `${place}/token`)
    const kubeconfig = join(cluster.folder, 'inside')
    const { server, authorityPem } = await readKubeconfig(cluster.seamark.kubeconfig)
    writeFileSync(
      kubeconfig,
      formatKubeconfig('inside', { server, authorityPem, token, namespace: 'default' }),
    )
    const { stdout } = await kubectl(kubeconfig, ['auth', 'whoami', '-o', 'yaml'])
    expect(stdout).toContain('username: system:serviceaccount:default:default\n')
    expect(stdout).toMatch(/authentication.kubernetes.io\/pod-name:\n +- web\n/)
    expect(await inside('sh', '-c', 'echo $KUBERNETES_SERVICE_HOST:$KUBERNETES_SERVICE_PORT_HTTPS')).toBe(
      '10.96.0.1:443\n',
    )
    expect(await inside('sh', '-c', 'echo $WEB_SERVICE_PORT')).toBe('80\n')
  })

  test('a ConfigMap that comes and changes is seen in the running container', async () => {
    const shown = async () =>
      (await run(['exec', 'web', '-c', 'app', '--', 'cat', '/etc/later/colour'])).stdout
    expect(await shown()).toBe('')
    await ok('create', 'configmap', 'later', '--from-literal=colour=red')
    await expect.poll(shown, { timeout: 5000 }).toBe('red')
    await ok('patch', 'configmap', 'later', '-p', '{"data":{"colour":"green"}}')
    await expect.poll(shown, { timeout: 5000 }).toBe('green')
  })

  test('cp takes files in and out', async () => {
    const here = mkdtempSync(join(tmpdir(), 'seamark-cp-'))
    mkdirSync(join(here, 'in'))
    writeFileSync(join(here, 'in/data'), 'y'.repeat(100_000))
    await ok('cp', join(here, 'in'), 'default/web:/tmp/copied', '-c', 'app')
    await ok('cp', 'default/web:/tmp/copied', join(here, 'out'), '-c', 'app')
    expect(readFileSync(join(here, 'out/data'), 'utf8')).toBe('y'.repeat(100_000))
  })

  test('port-forward carries real HTTP, many connections at once, and refusals', async () => {
    const forward = kubectlStream(cluster.seamark.kubeconfig, ['port-forward', 'service/web', ':80'])
    await expect
      .poll(() => forward.lines.join(' '), { timeout: 10_000 })
      .toContain('Forwarding from 127.0.0.1:')
    const port = Number(/127\.0\.0\.1:(\d+)/.exec(forward.lines.join(' '))?.[1])
    const answers = await Promise.all(Array.from({ length: 10 }, () => fetched(port, '/hello')))
    expect(answers).toEqual(Array.from({ length: 10 }, () => ({ status: 200, body: 'hi there\n' })))
    expect((await fetched(port, '/none')).status).toBe(404)
    forward.stop()
    await forward.ended
  })

  test('a node answers for its kubelet through the proxy', async () => {
    const node = await ok('get', 'nodes', '-o', 'jsonpath={.items[0].metadata.name}')
    expect(await ok('get', '--raw', `/api/v1/nodes/${node}/proxy/healthz`)).toBe('ok')
    expect(await ok('get', '--raw', `/api/v1/nodes/${node}/proxy/stats/summary`)).toContain(
      `"nodeName":"${node}"`,
    )
  })

  test('pods and services answer through the proxy', async () => {
    for (const target of ['pods/web:8080', 'services/web:80'])
      expect(await ok('get', '--raw', `/api/v1/namespaces/default/${target}/proxy/hello`)).toBe('hi there\n')
  })

  test('top shows what is declared', async () => {
    const top = ['top', 'pod', 'web', '--containers', '--no-headers']
    // A pod shows from its first sample on.
    await expect
      .poll(async () => (await run(top)).stdout, { timeout: 40_000, interval: 500 })
      .toMatch(/web +app +250m +32Mi/)
    expect(await ok('top', 'pod', 'web', '--no-headers')).toMatch(/web +2[56]\dm +[45]\dMi/)
    expect(await ok('top', 'nodes', '--no-headers')).toMatch(/\S+ +2\d\dm +\d+% +\d+Mi +\d+%/)
  })

  test('custom and external metrics answer as those of an adapter, and are found by discovery', async () => {
    const raw = async (path: string) => JSON.parse(await ok('get', '--raw', path)) as unknown
    const custom = '/apis/custom.metrics.k8s.io/v1beta2'
    expect(await raw(`${custom}/namespaces/default/pods/*/http_requests_per_second`)).toMatchObject({
      kind: 'MetricValueList',
      items: [{ describedObject: { kind: 'Pod', name: 'web' }, value: '12500m' }],
    })
    expect(await raw(custom)).toMatchObject({
      resources: [{ name: 'pods/http_requests_per_second', kind: 'MetricValueList', verbs: ['get'] }],
    })
    expect(
      await raw('/apis/external.metrics.k8s.io/v1beta1/namespaces/default/queue?labelSelector=of%3Dorders'),
    ).toMatchObject({ items: [{ metricName: 'queue', metricLabels: { of: 'orders' }, value: '30' }] })
    expect(await ok('api-resources', '--api-group=external.metrics.k8s.io', '--no-headers')).toMatch(
      /^queue +external.metrics.k8s.io\/v1beta1 +true +ExternalMetricValueList/,
    )
    expect(await ok('get', 'pods', '--no-headers')).toMatch(/^web /m)
  })

  test('an autoscaler follows a metric from outside, and tells so', async () => {
    await expect
      .poll(() => ok('get', 'hpa', 'workers', '--no-headers'), { timeout: 45_000, interval: 500 })
      .toMatch(/Deployment\/workers +15\/15 \(avg\) +1 +5 +2 /)
    const told = await ok('describe', 'hpa', 'workers')
    expect(told).toMatch(/"queue" \(target average value\): +15 \/ 15/)
    expect(told).toMatch(/ScalingActive +True +ValidMetricFound +the HPA was able to/)
    expect(told).toMatch(/SuccessfulRescale .*New size: 2; reason: external metric queue\(/)
  })

  test('debug adds a container that is a shell, and it stays in the status', async () => {
    const ran = await run(
      ['debug', '-i', 'web', '--image=busybox', '--container=look'],
      'echo seen\nexit 3\n',
    )
    expect(ran.stdout).toContain('seen')
    const code = '{.status.ephemeralContainerStatuses[0].state.terminated.exitCode}'
    await expect.poll(() => ok('get', 'pod', 'web', '-o', `jsonpath=${code}`), { timeout: 10_000 }).toBe('3')
    const refused = await run(['create', '-f', '-'], JSON.stringify(withEphemeral))
    expect(refused.stderr).toContain('spec.ephemeralContainers: Forbidden: cannot be set on create')
  })

  test('attach shows what is written from now on, and passes on what is typed', async () => {
    const ran = await kubectl(
      cluster.seamark.kubeconfig,
      ['run', 'typed', '-i', '--rm', '--restart=Never', '--image=busybox', '--quiet'],
      {
        input: 'echo from $HOSTNAME\nexit 0\n',
      },
    )
    expect(ran.stdout).toContain('from typed')
    const attached = kubectlStream(cluster.seamark.kubeconfig, ['attach', 'web', '-c', 'app'])
    await expect
      .poll(() => attached.lines.filter((line) => line === 'ready').length, { timeout: 10_000 })
      .toBeGreaterThan(1)
    attached.stop()
    await attached.ended
  })
})

const withEphemeral = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'early', namespace: 'default' },
  spec: {
    containers: [{ name: 'app', image: 'x' }],
    ephemeralContainers: [{ name: 'look', image: 'busybox' }],
  },
}

function fetched(port: number, path: string): Promise<{ status: number | undefined; body: string }> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path, agent: false }, (answer) => {
      let body = ''
      answer.on('data', (chunk: Buffer) => {
        body += chunk.toString()
      })
      answer.on('end', () => resolve({ status: answer.statusCode, body }))
    })
    asked.on('error', reject)
    asked.end()
  })
}
