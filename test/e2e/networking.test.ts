import { describe, expect, test } from 'vitest'
import { e2eCluster, repositoryOf } from '../support/e2e-cluster.ts'
import { findKubectl } from '../support/kubectl.ts'
import { missingForE2e } from '../support/seamark-events.ts'

const missing = missingForE2e() ?? findKubectl().reason
if (missing) console.warn(`e2e of networking skipped: ${missing}`)

const SHOP = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: 2
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      containers: [{ name: app, image: "registry.example/web:1", ports: [{ name: http, containerPort: 8080 }] }]
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec: { selector: { app: web }, ports: [{ port: 80, targetPort: http }] }
---
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: { name: edge, annotations: { ingressclass.kubernetes.io/is-default-class: "true" } }
spec: { controller: seamark.dev/ingress }
`
const BY_HAND = `
apiVersion: v1
kind: Service
metadata: { name: legacy }
spec: { ports: [{ port: 5432 }] }
---
apiVersion: v1
kind: Endpoints
metadata: { name: legacy }
subsets: [{ addresses: [{ ip: 198.51.100.7 }], ports: [{ port: 5432 }] }]
`
const SECOND_FAMILY = `
apiVersion: networking.k8s.io/v1
kind: ServiceCIDR
metadata: { name: six }
spec: { cidrs: ["fd00:10:96::/112"] }
`

describe.skipIf(missing)('networking, with a real process and kubectl', () => {
  const cluster = e2eCluster((folder) => repositoryOf(folder, { 'shop.yaml': SHOP }))
  const { run, ok } = cluster

  test('a Service leads to its pods, by both kinds of endpoints', async () => {
    expect(await ok('get endpointslices -l kubernetes.io/service-name=web --no-headers')).toMatch(
      /^web-\w{5} +IPv4 +8080 +10\.244\.\d+\.\d+,10\.244\.\d+\.\d+ /,
    )
    expect(await ok('get endpoints web --no-headers')).toMatch(/:8080,10\.244\.\d+\.\d+:8080 /)
    expect(await ok('describe service web')).toMatch(/Endpoints: +10\.244\.\d+\.\d+:8080,/)
    expect(await ok('get nodes -o jsonpath={.items[*].spec.podCIDR}')).toBe(
      '10.244.0.0/24 10.244.1.0/24 10.244.2.0/24',
    )
  })

  test('an Ingress of the default class gets the address of its class', async () => {
    await ok('create ingress shop --rule=shop.example/*=web:80')
    await ok('wait ingress/shop --for=jsonpath={.status.loadBalancer.ingress[0].ip} --timeout=10s')
    expect(await ok('get ingress shop --no-headers')).toMatch(/^shop +edge +shop\.example +192\.0\.2\.1 +80 /)
  })

  test('a Service changes its type there and back', async () => {
    await ok('expose deployment web --name=front --port=80 --type=LoadBalancer')
    await ok('wait service/front --for=jsonpath={.status.loadBalancer.ingress[0].ip} --timeout=10s')
    await ok('patch service front -p {"spec":{"externalTrafficPolicy":"Local"}}')
    const health = await ok('get service front -o jsonpath={.spec.healthCheckNodePort}')
    expect(Number(health)).toBeGreaterThanOrEqual(30_000)
    expect(await ok('get service front --no-headers')).toMatch(
      /LoadBalancer +10\.96\.\S+ +192\.0\.2\.2 +80:3\d{4}\/TCP/,
    )
    await ok('patch service front -p {"spec":{"type":"ClusterIP"}}')
    expect(await ok('get service front --no-headers')).toMatch(/ClusterIP +10\.96\.\S+ +<none> +80\/TCP/)
  })

  test('Endpoints by hand are mirrored', async () => {
    await ok('apply -f -', BY_HAND)
    await ok('wait endpointslice -l kubernetes.io/service-name=legacy --for=create --timeout=10s')
    expect(await ok('get endpointslices -l kubernetes.io/service-name=legacy --no-headers')).toMatch(
      /^legacy-\w{5} +IPv4 +5432 +198\.51\.100\.7 /,
    )
  })

  test('with a range of the other family a Service may be of both', async () => {
    await ok('apply -f -', SECOND_FAMILY)
    await ok('wait servicecidr/six --for=condition=Ready --timeout=10s')
    await ok('patch service web -p {"spec":{"ipFamilyPolicy":"PreferDualStack"}}')
    const [four, six] = (await ok('get service web -o jsonpath={.spec.clusterIPs[*]}')).split(' ')
    expect(four).toMatch(/^10\.96\./)
    expect(six).toMatch(/^fd00:10:96::/)
    await ok(`wait ipaddress/${six} --for=create --timeout=10s`)
    expect(await ok(`get ipaddress ${six} --no-headers`)).toMatch(/ services\/default\/web /)
    const refused = await run('patch service web -p {"spec":{"clusterIPs":["10.96.0.77"]}}')
    expect(refused.stderr).toContain('may not change once set')
  })
})
