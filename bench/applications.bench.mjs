// 1,000 Applications of four objects each, from an empty store to everything applied: a real process on a real repository.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { commitAll, startUp } from './process.mjs'

export const question = '1,000 applications x 4 objects, from nothing to applied (5 s, 500 MB)'

const COUNT = 1_000

const application = (n) => `apiVersion: seamark.dev/v1alpha1
kind: Application
metadata: {name: app-${n}, namespace: default}
spec: {source: {path: apps/app-${n}}}
`

const objects = (n) => `apiVersion: v1
kind: ServiceAccount
metadata: {name: app-${n}, namespace: default}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: app-${n}, namespace: default}
data: {settings: "value ${n}"}
---
apiVersion: v1
kind: Service
metadata: {name: app-${n}, namespace: default}
spec: {selector: {app: app-${n}}, ports: [{port: 80}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: app-${n}, namespace: default}
spec:
  replicas: 1
  selector: {matchLabels: {app: app-${n}}}
  template:
    metadata: {labels: {app: app-${n}}}
    spec: {serviceAccountName: app-${n}, containers: [{name: app, image: "registry.example/app:1", resources: {requests: {cpu: 10m}}}]}
`

const pool = `apiVersion: seamark.dev/v1alpha1
kind: NodePool
metadata: {name: worker}
spec: {count: 20, runtime: simulated}
`

export async function run() {
  const folder = mkdtempSync(join(tmpdir(), 'seamark-bench-'))
  const repo = join(folder, 'fleet')
  mkdirSync(join(repo, 'apps'), { recursive: true })
  const all = Array.from({ length: COUNT }, (_, n) => n)
  writeFileSync(join(repo, 'seamark.yaml'), [pool, ...all.map(application)].join('---\n'))
  for (const n of all) {
    mkdirSync(join(repo, 'apps', `app-${n}`))
    writeFileSync(join(repo, 'apps', `app-${n}`, 'all.yaml'), objects(n))
  }
  commitAll(repo)
  const startedAt = performance.now()
  const seamark = startUp(repo, '--listen', '127.0.0.1:0', '--data', join(folder, 'data'))
  try {
    const seen = { applied: new Set(), healthy: new Set() }
    const all = (kind) =>
      seamark.until(({ type, application: name }) => {
        if (type === kind && /\/app-\d+$/.test(name)) seen[kind].add(name)
        return seen[kind].size === COUNT
      })
    const healthy = all('healthy')
    const applied = await all('applied')
    const peak = seamark.residentPeak()
    const done = await healthy
    return [
      {
        name: 'process start to all applied',
        value: (applied.heardAt - startedAt) / 1000,
        unit: 's',
        note: 'budget 5',
      },
      { name: 'resident memory at most until then', value: peak, unit: 'MB', note: 'budget 500' },
      { name: 'process start to all healthy', value: (done.heardAt - startedAt) / 1000, unit: 's' },
      { name: 'resident memory at most', value: seamark.residentPeak(), unit: 'MB' },
    ]
  } finally {
    await seamark.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}
