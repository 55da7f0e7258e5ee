import { afterEach, beforeEach, expect, test } from 'vitest'
import { deployment } from '../../src/api/kinds/deployment.ts'
import { horizontalPodAutoscaler } from '../../src/api/kinds/horizontal-pod-autoscaler.ts'
import { pod } from '../../src/api/kinds/pod.ts'
import { isPodActive } from '../../src/api/pods.ts'
import { type GitOps, startGitOps } from '../support/gitops.ts'

const shop = (maxReplicas: number) => ({
  'image.yaml': `
apiVersion: seamark.dev/v1alpha1
kind: SimulatedImage
metadata: { name: shop }
spec:
  images: ["registry.example/shop:**"]
  usage: { cpu: 1m, memory: 64Mi, load: { requestsPerSecond: 100, cpuPerRequest: 20m } }
`,
  'shop.yaml': `
apiVersion: apps/v1
kind: Deployment
metadata: { name: shop, namespace: default }
spec:
  selector: { matchLabels: { app: shop } }
  template:
    metadata: { labels: { app: shop } }
    spec:
      containers:
        - name: app
          image: registry.example/shop:1
          resources: { requests: { cpu: 500m, memory: 128Mi } }
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: { name: shop, namespace: default }
spec:
  scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: shop }
  minReplicas: 2
  maxReplicas: ${maxReplicas}
  metrics:
    - type: Resource
      resource: { name: cpu, target: { type: Utilization, averageUtilization: 50 } }
`,
})

let gitops: GitOps
beforeEach(async () => {
  gitops = await startGitOps()
})
afterEach(() => gitops.close())

test('A load is met by as many pods as it takes, and by no more than a later commit allows', async () => {
  const { clock, plane } = gitops
  const seen: number[] = []
  const watch = async (minutes: number) => {
    for (let i = 0; i < minutes * 6; i += 1) {
      await clock.run(10_000)
      seen.push((await gitops.find(deployment, 'shop', 'default'))?.spec.replicas ?? 0)
    }
    return seen.at(-1)
  }
  const pods = async () =>
    (await plane.client.list(pod, { namespace: 'default' })).items.filter(isPodActive).length
  await gitops.commit(shop(12))
  await clock.run(30_000)
  // 100 requests/s of 20m each are 2 cores; half of what is asked for is 250m a pod.
  expect(await watch(20)).toBe(8)
  expect(await pods()).toBe(8)
  const status = async () => (await gitops.find(horizontalPodAutoscaler, 'shop', 'default'))?.status
  expect(await status()).toMatchObject({ currentReplicas: 8, desiredReplicas: 8 })
  expect(Math.min(...seen)).toBeGreaterThanOrEqual(2)
  expect(Math.max(...seen)).toBeLessThanOrEqual(12)
  // The template names no replicas, so no later commit takes them back.
  await gitops.commit(shop(5))
  expect(await watch(20)).toBe(5)
  expect(await pods()).toBe(5)
  const limited = (await status())?.conditions?.find(({ type }) => type === 'ScalingLimited')
  expect(limited).toMatchObject({ status: 'True', reason: 'TooManyReplicas' })
})
