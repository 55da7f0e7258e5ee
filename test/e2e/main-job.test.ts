import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findKubectl, kubectl, kubectlStream } from '../support/kubectl.ts'
import {
  exampleRepository,
  missingForE2e,
  type Repository,
  repositoryAt,
  type Seamark,
  startSeamark,
  temporaryFolder,
} from '../support/seamark-events.ts'

const missing = missingForE2e() ?? findKubectl().reason
if (missing) console.warn(`e2e of the main job skipped: ${missing}`)
const isFor = (commit: string) => (event: { readonly commit?: unknown; readonly type: string }) =>
  event.commit === commit
const healthy = (commit: string) => (event: { readonly commit?: unknown; readonly type: string }) =>
  event.type === 'healthy' && isFor(commit)(event)

describe.skipIf(missing)('the main job, with a real process, git and kubectl', () => {
  const folder = temporaryFolder()
  let repository: Repository
  let seamark: Seamark
  const run = async (args: string, input?: string) =>
    kubectl(seamark.kubeconfig, args.split(' '), input === undefined ? {} : { input })
  const ok = async (args: string, input?: string) => {
    const ran = await run(args, input)
    expect(ran.code, `kubectl ${args}: ${ran.stderr}`).toBe(0)
    return ran.stdout
  }

  beforeAll(async () => {
    repository = exampleRepository(folder.path)
    seamark = startSeamark(repository.path)
    await seamark.until(({ type }) => type === 'healthy')
  })
  afterAll(async () => {
    seamark.signal('SIGTERM')
    await seamark.ended
    folder.remove()
  })

  test('the example converges, kubectl shows it, and the outcome is a note on the commit', async () => {
    expect(await ok('get deployments -A --no-headers')).toMatch(/shop +checkout +4\/4 +4 +4/)
    expect(await ok('get nodes')).toMatch(/worker-0 +Ready +<none> +\S+ +v1\.36\.0/)
    expect(repository.git('notes', '--ref', 'seamark', 'show', 'HEAD')).toContain('default/demo Healthy')
  })

  test('a changed image rolls out within surge and availability, and kubectl shows it live', async () => {
    const watching = kubectlStream(seamark.kubeconfig, [
      '-n',
      'shop',
      'get',
      'deployment',
      'web',
      '-w',
      '--no-headers',
    ])
    repository.edit('apps/web.yaml', 'shop/web:2.3.0', 'shop/web:2.4.0')
    const commit = repository.commit('web: 2.4.0')
    await seamark.until(isFor(commit))
    expect(await ok('-n shop rollout status deployment/web --timeout=60s')).toContain(
      'successfully rolled out',
    )
    await seamark.until(healthy(commit))
    watching.stop()
    await watching.ended
    const available = watching.lines.map((line) => Number(line.trim().split(/ +/)[1]?.split('/')[0]))
    expect(available.length).toBeGreaterThan(2)
    expect(Math.min(...available)).toBeGreaterThanOrEqual(3)
    const endpoints = await ok(
      '-n shop get endpointslices -l kubernetes.io/service-name=web -o jsonpath={.items[*].endpoints[*].conditions.ready}',
    )
    expect(endpoints.split(' ').filter((ready) => ready === 'true')).toHaveLength(3)
    expect(await ok('-n shop rollout history deployment/web')).toMatch(/REVISION[\s\S]*1[\s\S]*2/)
  })

  test('a crashing image is rolled back by itself, quarantined, and explained in the note', async () => {
    repository.edit('apps/checkout.yaml', 'checkout:1.5.0', 'checkout:1.5.1')
    const bad = repository.commit('checkout: 1.5.1')
    await seamark.until(({ type, from }) => type === 'rolled-back' && from === bad, { withinMs: 90_000 })
    const note = repository.git('notes', '--ref', 'seamark', 'show', bad)
    expect(note).toContain('CrashLoopBackOff: container "app" exited 1 (3 restarts)')
    expect(note).toMatch(/apps\/checkout\.yaml:\d+:\d+/)
    expect(
      await ok('-n shop get deployment checkout -o jsonpath={.spec.template.spec.containers[0].image}'),
    ).toContain('checkout:1.5.0')
    expect(await ok('get application demo -o jsonpath={.status.quarantinedCommits[0].commit}')).toBe(bad)
  })

  test('git revert applies at once, also while a bad commit is being waited for', async () => {
    repository.git('revert', '--no-edit', 'HEAD')
    const reverted = repository.git('rev-parse', 'HEAD').trim()
    await seamark.until(healthy(reverted))
    repository.edit('apps/checkout.yaml', 'checkout:1.5.0', 'checkout:1.5.1')
    const bad = repository.commit('checkout: 1.5.1 again')
    await seamark.until(({ type, commit }) => type === 'waiting' && commit === bad)
    repository.edit('apps/checkout.yaml', 'checkout:1.5.1', 'checkout:1.6.0')
    const good = repository.commit('checkout: 1.6.0')
    await seamark.until(healthy(good), { withinMs: 30_000 })
    expect(
      seamark.events.some(({ type, commit, by }) => type === 'superseded' && commit === bad && by === good),
    ).toBe(true)
  })

  test('a deleted file is pruned, a renamed object replaced', async () => {
    repository.edit(
      'apps/catalog.yaml',
      'kind: PodDisruptionBudget\nmetadata:\n  name: catalog',
      'kind: PodDisruptionBudget\nmetadata:\n  name: catalogue',
    )
    rmSync(join(repository.path, 'apps/web.yaml'))
    const commit = repository.commit('web goes, a budget is renamed')
    await seamark.until(healthy(commit))
    expect((await run('-n shop get deployment web')).stderr).toContain('NotFound')
    expect(await ok('-n shop get pdb -o name')).toBe(
      'poddisruptionbudget.policy/catalogue\npoddisruptionbudget.policy/checkout\n',
    )
  })

  test('an invalid commit stops nothing else, and says file, line and column', async () => {
    writeFileSync(
      join(repository.path, 'apps/broken.yaml'),
      'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: [\n',
    )
    const bad = repository.commit('broken')
    const failed = await seamark.until(({ type, commit }) => type === 'failed' && commit === bad)
    expect(failed['failure']).toMatchObject({
      reason: 'RenderFailed',
      places: [{ file: 'apps/broken.yaml', line: expect.any(Number), column: expect.any(Number) }],
    })
    expect(
      await ok('get application demo -o jsonpath={.status.conditions[?(@.type=="Ready")].message}'),
    ).toContain('apps/broken.yaml:')
    expect(await ok('-n shop get deployment checkout --no-headers')).toMatch(/4\/4/)
    repository.git('reset', '-q', '--hard', 'HEAD~1')
    const before = repository.git('rev-parse', 'HEAD').trim()
    await seamark.until(healthy(before), { from: seamark.events.length - 1 })
  })

  test('drift is put back at once', async () => {
    await ok('-n shop scale deployment checkout --replicas=1')
    await seamark.until(
      ({ type, resource }) => type === 'drift-corrected' && String(resource).includes('checkout'),
    )
    expect(await ok('-n shop get deployment checkout -o jsonpath={.spec.replicas}')).toBe('4')
  })

  test('kubectl does what it does elsewhere', async () => {
    const deployment = JSON.stringify({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'mine' },
      spec: {
        replicas: 2,
        selector: { matchLabels: { app: 'mine' } },
        template: {
          metadata: { labels: { app: 'mine' } },
          spec: { containers: [{ name: 'app', image: 'registry.example/shop/mine:1' }] },
        },
      },
    })
    expect(await ok('apply -f -', deployment)).toContain('deployment.apps/mine created')
    expect(await ok('apply -f -', deployment)).toContain('unchanged')
    expect(await ok('apply --server-side --force-conflicts -f -', deployment)).toContain('serverside-applied')
    expect((await run('diff -f -', deployment.replace('"replicas":2', '"replicas":3'))).code).toBe(1)
    await ok('rollout status deployment/mine --timeout=30s')
    await ok('set image deployment/mine app=registry.example/shop/mine:2')
    await ok('rollout status deployment/mine --timeout=30s')
    await ok('rollout undo deployment/mine')
    await ok(
      'wait deployment/mine --for=jsonpath={.spec.template.spec.containers[0].image}=registry.example/shop/mine:1 --timeout=20s',
    )
    await ok('scale deployment/mine --replicas=3')
    await ok('wait deployment/mine --for=condition=Available --timeout=30s')
    await ok('label deployment/mine team=a')
    await ok('annotate deployment/mine note=b')
    await ok('patch deployment/mine --type=merge -p {"metadata":{"labels":{"x":"y"}}}')
    await ok('patch deployment/mine --type=json -p [{"op":"remove","path":"/metadata/labels/x"}]')
    await ok('patch deployment/mine -p {"spec":{"minReadySeconds":1}}')
    const edited = await kubectl(seamark.kubeconfig, ['edit', 'deployment/mine'], {
      env: { KUBE_EDITOR: 'sed -i "s/minReadySeconds: 1/minReadySeconds: 2/"' },
    })
    expect(edited.stdout, edited.stderr).toContain('deployment.apps/mine edited')
    await ok('rollout status deployment/mine --timeout=30s')
    expect(await ok('describe deployment mine')).toContain('NewReplicaSetAvailable')
    expect(await ok('explain pod.spec.containers')).toContain('List of containers belonging to the pod')
    expect(await ok('explain application.spec')).toContain('rollback')
    expect(await ok('api-resources')).toMatch(/deployments +deploy +apps\/v1 +true +Deployment/)
    expect(await ok('get events')).toContain('Scaled up replica set')
    expect(await ok('create deployment typed --image=registry.example/shop/typed:1')).toContain('created')
    await ok('cordon worker-0')
    expect(await ok('get node worker-0')).toContain('SchedulingDisabled')
    expect(
      await ok('drain worker-0 --ignore-daemonsets --delete-emptydir-data --timeout=60s --force'),
    ).toContain('drained')
    expect(await ok('get pods -A --field-selector spec.nodeName=worker-0 --no-headers')).toBe('')
    await ok('uncordon worker-0')
    expect(await ok('delete deployment mine typed --wait --timeout=30s')).toContain('deleted')
  })

  test('a second process on the same data directory is refused', async () => {
    const second = startSeamark(repository.path)
    expect(await second.ended).not.toBe(0)
    expect(second.errors()).toMatch(/in use by process \d+/)
  })

  test('kill -9 loses nothing: the same objects, nothing written again', async () => {
    const shot = async () =>
      (
        await ok(
          '-n shop get deployments,replicasets,pods,services,configmaps -o jsonpath={range.items[*]}{.metadata.uid}:{.metadata.resourceVersion};{end}',
        )
      )
        .split(';')
        .sort()
    // What the drain before moved has come to rest.
    for (const name of (await ok('-n shop get deployments -o name')).trim().split('\n'))
      await ok(`-n shop rollout status ${name} --timeout=60s`)
    let before = await shot()
    await expect
      .poll(
        async () => {
          const last = before
          before = await shot()
          return isDeepStrictEqual(before, last)
        },
        { timeout: 20_000, interval: 1500 },
      )
      .toBe(true)
    seamark.signal('SIGKILL')
    await seamark.ended
    seamark = startSeamark(repository.path)
    await seamark.until(({ type }) => type === 'healthy')
    expect(await shot()).toEqual(before)
  })

  test('pods of a node that leaves the pool move', async () => {
    repository.edit('seamark.yaml', 'count: 3', 'count: 2')
    const commit = repository.commit('two nodes')
    await seamark.until(healthy(commit))
    await ok('wait node/worker-2 --for=delete --timeout=60s')
    await ok('-n shop wait deployment/checkout --for=jsonpath={.status.availableReplicas}=4 --timeout=100s')
  })

  test('Ctrl-C stops within two seconds', async () => {
    const at = performance.now()
    seamark.signal('SIGINT')
    expect(await seamark.ended).toBe(0)
    expect(performance.now() - at).toBeLessThan(2500)
    seamark = startSeamark(repository.path)
    await seamark.until(({ type }) => type === 'healthy')
  })
})

describe.skipIf(missing)('a repository that is not there yet', () => {
  test('is waited for; an empty one, and its first commit, are followed', async () => {
    const folder = temporaryFolder()
    const path = join(folder.path, 'later')
    const data = join(folder.path, 'data')
    const seamark = startSeamark(path, ['--data', data])
    try {
      await seamark.until(({ type }) => type === 'waiting-for-source')
      mkdirSync(path, { recursive: true })
      const repository = repositoryAt(path)
      repository.git('init', '-q', '-b', 'main')
      writeFileSync(
        join(path, 'a.yaml'),
        'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata: { x: "1" }\n',
      )
      const commit = repository.commit('first')
      await seamark.until(healthy(commit), { withinMs: 20_000 })
    } finally {
      seamark.signal('SIGTERM')
      await seamark.ended
      folder.remove()
    }
  })
})

describe.skipIf(missing)('seamark validate', () => {
  const MAIN = join(import.meta.dirname, '../../dist/bin/seamark.js')
  const validate = (path: string): { code: number; output: string } => {
    try {
      return {
        code: 0,
        output: execFileSync(process.execPath, [MAIN, 'validate', path], {
          encoding: 'utf8',
          stdio: ['ignore', 'pipe', 'pipe'],
        }),
      }
    } catch (error) {
      const { status, stdout, stderr } = error as { status: number; stdout: string; stderr: string }
      return { code: status, output: stdout + stderr }
    }
  }

  test('the example is clean', () => {
    expect(validate(join(import.meta.dirname, '../../examples/cluster-repo'))).toEqual({
      code: 0,
      output: '21 objects in 8 files: no errors\n',
    })
  })

  test('what cannot schedule is 1, with the scheduler’s message and the line', () => {
    const folder = temporaryFolder()
    writeFileSync(
      join(folder.path, 'big.yaml'),
      'apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: big\nspec:\n  selector: { matchLabels: { app: big } }\n  template:\n    metadata: { labels: { app: big } }\n    spec:\n      containers:\n        - name: app\n          image: a:1\n          resources:\n            requests:\n              cpu: "64"\n',
    )
    const { code, output } = validate(folder.path)
    expect([code, output]).toEqual([
      1,
      'big.yaml:15:21: error: Deployment default/big: 0/3 nodes are available: 3 Insufficient cpu. [unschedulable]\n1 object in 1 file: 1 error\n',
    ])
    folder.remove()
  })

  test('unreadable input, and no input, are 2', () => {
    const folder = temporaryFolder()
    expect(validate(folder.path).code).toBe(2)
    writeFileSync(join(folder.path, 'a.yaml'), 'a: [\n')
    expect(validate(folder.path).code).toBe(2)
    expect(validate(join(folder.path, 'nope')).code).toBe(2)
    folder.remove()
  })
})
