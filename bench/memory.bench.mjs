// Resident memory of a real process with 1,000 simulated nodes and 10,000 running pods, once it has come to rest.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { commitAll, startUp } from './process.mjs'

export const question = 'resident memory with 1,000 nodes, and 10,000 (600 MB) or 30,000 pods'

const NODES = 1_000
const REPLICAS = 100
const SIZES = [
  { deployments: 100, note: 'budget 600' },
  { deployments: 300, note: undefined },
]

const pool = `apiVersion: seamark.dev/v1alpha1
kind: NodePool
metadata: {name: worker}
spec: {count: ${NODES}, runtime: simulated}
`

const deployment = (n) => `apiVersion: apps/v1
kind: Deployment
metadata: {name: app-${n}, namespace: default}
spec:
  replicas: ${REPLICAS}
  selector: {matchLabels: {app: app-${n}}}
  template:
    metadata: {labels: {app: app-${n}}}
    spec: {containers: [{name: app, image: "registry.example/app:1", resources: {requests: {cpu: 100m, memory: 64Mi}}}]}
`

export async function run() {
  const rows = []
  for (const size of SIZES) rows.push(...(await measure(size)))
  return rows
}

async function measure({ deployments, note }) {
  const folder = mkdtempSync(join(tmpdir(), 'seamark-bench-'))
  const repo = join(folder, 'large')
  mkdirSync(repo)
  const parts = [pool, ...Array.from({ length: deployments }, (_, n) => deployment(n))]
  writeFileSync(join(repo, 'all.yaml'), parts.join('---\n'))
  commitAll(repo)
  const startedAt = performance.now()
  const seamark = startUp(repo, '--listen', '127.0.0.1:0', '--data', join(folder, 'data'))
  try {
    const healthy = await seamark.until(({ type }) => type === 'healthy')
    const peak = seamark.residentPeak()
    // Two rounds of leases and what the collector gives back.
    await new Promise((resolve) => setTimeout(resolve, 25_000))
    const pods = `${deployments * REPLICAS} pods`
    const seconds = (healthy.heardAt - startedAt) / 1000
    return [
      { name: `process start to ${pods} healthy`, value: seconds, unit: 's' },
      { name: `resident memory at most until then`, value: peak, unit: 'MB' },
      { name: `resident memory at rest, ${pods}`, value: seamark.resident(), unit: 'MB', note },
    ]
  } finally {
    await seamark.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}
