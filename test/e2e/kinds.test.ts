import { beforeAll, describe, expect, test } from 'vitest'
import { e2eCluster } from '../support/e2e-cluster.ts'
import { findKubectl } from '../support/kubectl.ts'
import { exampleRepository, missingForE2e } from '../support/seamark-events.ts'

const missing = missingForE2e() ?? findKubectl().reason
if (missing) console.warn(`e2e of the built-in kinds skipped: ${missing}`)

describe.skipIf(missing)('kinds of Kubernetes, asked for by the real kubectl', () => {
  const cluster = e2eCluster(exampleRepository)
  const { run, ok } = cluster
  const apply = (object: object) => ok('apply -f -', JSON.stringify(object))

  beforeAll(async () => {
    await ok('create namespace team')
  })

  test('what kubectl sends as protobuf arrives whole', async () => {
    await ok('-n team create ingress web --rule=shop.example/api*=web:80,tls=cert --class=nginx')
    expect(await ok('-n team get ingress')).toMatch(/web +nginx +shop\.example +80, 443/)
    const path = '{.spec.rules[0].http.paths[0].path} {.spec.rules[0].http.paths[0].pathType}'
    expect(await ok(`-n team get ingress web -o jsonpath=${path.replaceAll(' ', '|')}`)).toBe('/api|Prefix')
    await ok('create priorityclass urgent --value=1000 --description=first')
    expect(await ok('get priorityclass urgent --no-headers')).toMatch(/urgent +1000 +false/)
  })

  test('a quota refuses what exceeds it, and says how much is used', async () => {
    await ok('-n team create quota q --hard=pods=1,count/configmaps=5')
    await ok('-n team run one --image=nginx')
    expect((await run('-n team run two --image=nginx')).stderr).toContain(
      'pods "two" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1',
    )
    expect(await ok('-n team get quota q --no-headers')).toMatch(/count\/configmaps: \d\/5, pods: 1\/1/)
    expect(await ok('-n team describe quota q')).toMatch(/pods +1 +1/)
    await ok('-n team delete pod one --now')
    await ok('-n team wait quota/q --for=jsonpath={.status.used.pods}=0 --timeout=30s')
    await ok('-n team run two --image=nginx')
    await ok('-n team delete quota q')
  })

  test('a limit range gives and bounds', async () => {
    const limits = [{ type: 'Container', default: { memory: '64Mi' }, max: { memory: '128Mi' } }]
    await apply({
      apiVersion: 'v1',
      kind: 'LimitRange',
      metadata: { name: 'l', namespace: 'team' },
      spec: { limits },
    })
    await ok('-n team run bounded --image=nginx')
    const limit = '{.spec.containers[0].resources.limits.memory}'
    expect(await ok(`-n team get pod bounded -o jsonpath=${limit}`)).toBe('64Mi')
    const container = { name: 'a', image: 'nginx', resources: { limits: { memory: '1Gi' } } }
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'big', namespace: 'team' } }
    const refused = await run('apply -f -', JSON.stringify({ ...pod, spec: { containers: [container] } }))
    expect(refused.stderr).toContain('maximum memory usage per Container is 128Mi, but limit is 1Gi')
  })

  test('a namespace that enforces a security level warns of workloads and refuses their pods', async () => {
    await ok('create namespace safe')
    await ok(
      'label namespace safe pod-security.kubernetes.io/enforce=restricted pod-security.kubernetes.io/warn=restricted',
    )
    const made = await run('-n safe create deployment web --image=nginx')
    expect(made.stderr).toContain(
      'Warning: would violate PodSecurity "restricted:latest": allowPrivilegeEscalation != false',
    )
    expect((await run('-n safe run web --image=nginx')).stderr).toContain(
      'violates PodSecurity "restricted:latest"',
    )
  })

  test('an autoscaler is one object in two versions', async () => {
    await ok('-n team create deployment web --image=nginx')
    await ok('-n team autoscale deployment web --min=1 --max=3 --cpu=50%')
    const of = (version: string) =>
      ok(`get --raw /apis/autoscaling/${version}/namespaces/team/horizontalpodautoscalers/web`)
    expect(JSON.parse(await of('v1'))).toMatchObject({ spec: { targetCPUUtilizationPercentage: 50 } })
    expect(JSON.parse(await of('v2'))).toMatchObject({ spec: { metrics: [{ resource: { name: 'cpu' } }] } })
    expect(await ok('-n team get hpa')).toMatch(/web +Deployment\/web +cpu: .*\/50% +1 +3/)
    expect(await ok('explain hpa.spec.metrics --api-version=autoscaling/v2')).toContain('FIELD: metrics')
  })

  test('a claim in use stays until its pod is gone', async () => {
    const metadata = { name: 'data', namespace: 'team' }
    const resources = { requests: { storage: '1Gi' } }
    await apply({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata,
      spec: { accessModes: ['ReadWriteOnce'], resources },
    })
    expect(await ok('-n team get pvc')).toMatch(/data +Pending/)
    const volumes = [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }]
    const spec = { containers: [{ name: 'a', image: 'nginx' }], volumes }
    await apply({ apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, name: 'user' }, spec })
    await ok('-n team delete pvc data --wait=false')
    expect(await ok('-n team get pvc data')).toMatch(/data +Terminating/)
    await ok('-n team delete pod user --now')
    await ok('-n team wait --for=delete pvc/data --timeout=30s')
  })

  test('what every cluster begins with is there, and what is deprecated says so', async () => {
    const statuses = await run('get componentstatuses')
    expect(statuses.stdout).toMatch(/etcd-0 +Healthy/)
    expect(statuses.stderr).toContain('Warning: v1 ComponentStatus is deprecated in v1.19+')
    expect(await ok('get servicecidr --no-headers')).toMatch(/kubernetes +10\.96\.0\.0\/16/)
    expect(await ok('get flowschemas')).toMatch(/exempt +exempt +1 +<none> +\S+ +False/)
    expect(await ok('get prioritylevelconfigurations')).toMatch(/system +Limited +30 +64 +6 +50/)
    await ok('-n team create service clusterip web --tcp=80 --clusterip=10.96.0.77')
    await ok('wait --for=create ipaddress/10.96.0.77 --timeout=30s')
    expect(await ok('get ipaddress 10.96.0.77 --no-headers')).toMatch(/services\/team\/web/)
    expect(await ok('-n team get events.events.k8s.io --no-headers')).toMatch(/pod\//)
  })
})
