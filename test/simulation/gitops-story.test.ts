import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { application as applicationKind } from '../../src/api/kinds/application.ts'
import { configMap } from '../../src/api/kinds/config-map.ts'
import { deployment } from '../../src/api/kinds/deployment.ts'
import { event as eventKind } from '../../src/api/kinds/event.ts'
import { namespace as namespaceKind } from '../../src/api/kinds/namespace.ts'
import { service } from '../../src/api/kinds/service.ts'
import type { Progress } from '../../src/sync/progress.ts'
import { type GitOps, startGitOps } from '../support/gitops.ts'

const images = `
apiVersion: seamark.dev/v1alpha1
kind: SimulatedImage
metadata: { name: bad }
spec: { images: ["registry.example/**:bad"], exit: { code: 1, after: 200ms }, readyAfter: 60s }
`
const web = (tag: string, more = '') => `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: default }
spec:
  replicas: 2
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      containers:
        - name: app
          image: registry.example/web:${tag}
${more}`
const settings = (name: string, color = 'blue') => `
apiVersion: v1
kind: ConfigMap
metadata: { name: ${name}, namespace: default }
data: { color: ${color} }
`
const many = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`c${i}.yaml`, settings(`c${i}`)]))

describe('a commit', () => {
  let gitops: GitOps
  beforeEach(async () => {
    gitops = await startGitOps()
  })
  afterEach(() => gitops.close())

  const imageOf = async () =>
    (await gitops.find(deployment, 'web', 'default'))?.spec.template.spec?.containers[0]?.image
  const types = (from = 0) => gitops.progress.slice(from).map(({ type }) => type)

  test('converges, and its outcome is in status, event and git', async () => {
    const id = await gitops.commit({ 'web.yaml': web('1'), 'images.yaml': images }, { subject: 'web: 1' })
    const status = await gitops.status()
    expect(types()).toEqual(
      expect.arrayContaining(['commit-seen', 'rendered', 'accepted', 'applied', 'waiting', 'healthy']),
    )
    expect(await gitops.conditions()).toEqual([
      'Healthy=True/Healthy',
      'Ready=True/Healthy',
      'Synced=True/Applied',
    ])
    expect([status.lastAppliedCommit, status.lastAttemptedCommit, status.lastHealthyCommit]).toEqual([
      id,
      id,
      id,
    ])
    expect(status.history?.[0]).toMatchObject({
      commit: id,
      subject: 'web: 1',
      outcome: 'Healthy',
      changes: { created: 2 },
    })
    expect(status.resources?.find(({ kind }) => kind === 'Deployment')).toMatchObject({
      name: 'web',
      file: 'web.yaml',
      line: 2,
      health: { status: 'Healthy' },
    })
    expect(gitops.source.notes.get(id)).toMatch(/^seamark: default\/demo Healthy/)
  })

  test('with a crashing image goes back by itself, is quarantined, and says which line is to blame', async () => {
    const good = await gitops.commit({ 'web.yaml': web('1'), 'images.yaml': images })
    const bad = await gitops.commit({ 'web.yaml': web('bad'), 'images.yaml': images })
    const status = await gitops.status()
    expect(await imageOf()).toBe('registry.example/web:1')
    expect(status).toMatchObject({
      lastHealthyCommit: good,
      lastAppliedCommit: good,
      lastAttemptedCommit: bad,
    })
    expect(status.quarantinedCommits).toMatchObject([{ commit: bad, reason: 'NotHealthy' }])
    expect(status.quarantinedCommits?.[0]?.message).toMatch(
      /CrashLoopBackOff: container "app" exited 1 .*\(web\.yaml:13:18\)/,
    )
    expect(await gitops.conditions()).toEqual([
      'Healthy=True/RolledBack',
      'Ready=False/NotHealthy',
      'Synced=True/Applied',
    ])
    expect(gitops.source.notes.get(bad)).toContain('rolledBackTo')
    // Left alone from here on.
    const before = gitops.progress.length
    await gitops.clock.run(60 * 60_000)
    expect(types(before)).toEqual([])
  })

  test('that fixes a bad one is applied at once, while the bad one is still waited for', async () => {
    await gitops.commit({ 'web.yaml': web('1'), 'images.yaml': images })
    const bad = gitops.source.commit('bad', { 'web.yaml': web('bad'), 'images.yaml': images })
    await gitops.until('waiting', bad)
    const from = gitops.clock.now()
    const fix = await gitops.commit({ 'web.yaml': web('2'), 'images.yaml': images })
    const applied = gitops.progress.find((event) => event.type === 'applied' && event.commit === fix)
    expect(applied).toMatchObject({ changes: { configured: 1 } })
    expect(gitops.progress.find(({ type }) => type === 'superseded')).toMatchObject({ commit: bad, by: fix })
    expect(await imageOf()).toBe('registry.example/web:2')
    expect(gitops.clock.now() - from).toBeLessThan(30_000)
    expect((await gitops.status()).history?.map(({ outcome }) => outcome)).toEqual([
      'Healthy',
      'Superseded',
      'Healthy',
    ])
  })

  test('that is quarantined is tried again when somebody asks', async () => {
    await gitops.commit({ 'web.yaml': web('1'), 'images.yaml': images })
    const bad = await gitops.commit({ 'web.yaml': web('bad'), 'images.yaml': images })
    const before = gitops.progress.length
    await gitops.plane.client.patch(applicationKind, { namespace: 'default', name: 'demo' }, 'merge', {
      metadata: { annotations: { 'seamark.dev/sync-requested-at': '1' } },
    })
    await gitops.clock.until(() => types(before).includes('rolled-back'), 10 * 60_000)
    expect(gitops.progress.slice(before)).toEqual(
      expect.arrayContaining([expect.objectContaining({ type: 'failed', commit: bad })]),
    )
  })

  test('that cannot be read changes nothing and names file, line and column', async () => {
    await gitops.commit({ 'web.yaml': web('1') })
    const before = await gitops.find(deployment, 'web', 'default')
    const broken = await gitops.commit({
      'web.yaml': 'kind: Deployment\nmetadata: {name: web\n',
      'b.yaml': settings('b'),
    })
    const status = await gitops.status()
    expect(status.quarantinedCommits).toMatchObject([{ commit: broken, reason: 'RenderFailed' }])
    expect(status.quarantinedCommits?.[0]?.message).toMatch(/Cannot read YAML: .*\(web\.yaml:3:1\)/)
    expect(await gitops.find(deployment, 'web', 'default')).toEqual(before)
    expect(await gitops.find(configMap, 'b', 'default')).toBeUndefined()
  })

  test('that the API refuses changes nothing, not even what would be accepted', async () => {
    await gitops.commit({ 'a.yaml': settings('a') })
    await gitops.commit({
      'a.yaml': settings('a', 'red'),
      'web.yaml': web('1', '          imagePullPolicy: Sometimes\n'),
    })
    expect((await gitops.find(configMap, 'a', 'default'))?.data).toEqual({ color: 'blue' })
    const [entry] = (await gitops.status()).quarantinedCommits ?? []
    expect(entry).toMatchObject({ reason: 'DiffFailed' })
    expect(entry?.message).toMatch(/imagePullPolicy.*Sometimes.*\(web\.yaml:14:28\)/)
  })

  test('that deletes a file prunes what was in it; objects that opted out stay', async () => {
    const opted = settings('kept').replace(
      'namespace: default',
      'namespace: default, annotations: {seamark.dev/prune: disabled}',
    )
    await gitops.commit({ 'a.yaml': settings('a'), 'b.yaml': settings('b'), 'kept.yaml': opted })
    await gitops.commit({ 'a.yaml': settings('a') })
    expect(await gitops.find(configMap, 'b', 'default')).toBeUndefined()
    expect(await gitops.find(configMap, 'kept', 'default')).toBeDefined()
    expect((await gitops.status()).inventory?.entries.map(({ id }) => id)).toEqual(['default_a__ConfigMap'])
  })

  test('that renames an object makes the new one and deletes the old', async () => {
    await gitops.commit({ 'a.yaml': settings('old') })
    await gitops.commit({ 'a.yaml': settings('new') })
    expect(await gitops.find(configMap, 'old', 'default')).toBeUndefined()
    expect(await gitops.find(configMap, 'new', 'default')).toBeDefined()
  })

  test.each([
    ['that leaves nothing', { 'empty.yaml': '# nothing\n' }],
    ['that takes away most of many', many(5)],
  ])('%s needs consent, and goes ahead once it is given', async (_, after) => {
    await gitops.commit(many(24))
    const id = await gitops.commit(after)
    expect(await gitops.find(configMap, 'c20', 'default')).toBeDefined()
    expect((await gitops.status()).quarantinedCommits?.[0]?.message).toContain(
      `seamark.dev/allow-mass-delete=${id.slice(0, 12)}`,
    )
    const before = gitops.progress.length
    await gitops.plane.client.patch(applicationKind, { namespace: 'default', name: 'demo' }, 'merge', {
      metadata: { annotations: { 'seamark.dev/allow-mass-delete': id } },
    })
    await gitops.clock.until(() => types(before).includes('healthy'), 60_000)
    expect(await gitops.find(configMap, 'c20', 'default')).toBeUndefined()
  })

  test('that takes away a namespace in which others live leaves the namespace', async () => {
    const space = 'apiVersion: v1\nkind: Namespace\nmetadata: { name: shop }\n'
    await gitops.commit({ 'a.yaml': settings('a'), 'ns.yaml': space })
    const other = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'theirs', namespace: 'shop' } }
    await gitops.plane.client.create(configMap, other)
    await gitops.commit({ 'a.yaml': settings('a') })
    expect((await gitops.find(namespaceKind, 'shop'))?.metadata.deletionTimestamp).toBeUndefined()
    expect(await gitops.find(configMap, 'theirs', 'shop')).toBeDefined()
  })

  test('brings namespace, account and bare pod at once', async () => {
    const id = await gitops.commit({
      'all.yaml': `
apiVersion: v1
kind: Pod
metadata: { name: one, namespace: shop }
spec: { serviceAccountName: robot, containers: [{ name: app, image: registry.example/app:1 }] }
---
apiVersion: v1
kind: ServiceAccount
metadata: { name: robot, namespace: shop }
---
apiVersion: v1
kind: Namespace
metadata: { name: shop }
`,
    })
    expect((await gitops.status()).lastHealthyCommit).toBe(id)
  })

  test('with revert: the branch itself gets a commit that undoes the bad one', async () => {
    await gitops.commit({ 'web.yaml': web('1'), 'images.yaml': images })
    await gitops.plane.client.patch(applicationKind, { namespace: 'default', name: 'demo' }, 'merge', {
      spec: { rollback: { onFailure: 'revert' } },
    })
    await gitops.clock.run(1000)
    await gitops.commit({ 'web.yaml': web('bad'), 'images.yaml': images }, { subject: 'web: bad' })
    await gitops.clock.run(60_000)
    const [last] = (await gitops.status()).history ?? []
    expect(last).toMatchObject({ subject: 'Revert "web: bad"', outcome: 'Healthy' })
  })

  test('is applied wave by wave: what waits for a sick wave is not applied', async () => {
    const late = settings('late').replace(
      'namespace: default',
      'namespace: default, annotations: {seamark.dev/sync-wave: "1"}',
    )
    await gitops.commit({ 'a.yaml': settings('a') })
    await gitops.commit({
      'a.yaml': settings('a'),
      'web.yaml': web('bad'),
      'images.yaml': images,
      'late.yaml': late,
    })
    expect(await gitops.find(configMap, 'late', 'default')).toBeUndefined()
    await gitops.commit({
      'a.yaml': settings('a'),
      'web.yaml': web('2'),
      'images.yaml': images,
      'late.yaml': late,
    })
    expect(await gitops.find(configMap, 'late', 'default')).toBeDefined()
  })
})

describe('in between commits', () => {
  let gitops: GitOps
  beforeEach(async () => {
    gitops = await startGitOps()
  })
  afterEach(() => gitops.close())
  const since = (from: number, type: Progress['type']) =>
    gitops.progress.slice(from).filter((event) => event.type === type)

  test('drift is put back at once, with who changed which field', async () => {
    await gitops.commit({ 'a.yaml': settings('a') })
    const from = gitops.progress.length
    await gitops.plane.client
      .as('kubectl-edit')
      .patch(configMap, { namespace: 'default', name: 'a' }, 'merge', { data: { color: 'red', extra: 'x' } })
    await gitops.clock.run(10)
    expect((await gitops.find(configMap, 'a', 'default'))?.data).toEqual({ color: 'blue', extra: 'x' })
    expect(since(from, 'drift-corrected')).toEqual([
      {
        type: 'drift-corrected',
        application: 'default/demo',
        resource: 'ConfigMap default/a',
        by: 'kubectl-edit',
        fields: ['data.color'],
      },
    ])
    await gitops.plane.client.delete(configMap, { namespace: 'default', name: 'a' })
    await gitops.clock.run(10)
    expect((await gitops.find(configMap, 'a', 'default'))?.data).toEqual({ color: 'blue' })
  })

  test('drift is put back also while a commit is waited for', async () => {
    await gitops.commit({ 'a.yaml': settings('a'), 'web.yaml': web('1'), 'images.yaml': images })
    const bad = gitops.source.commit('bad', {
      'a.yaml': settings('a'),
      'web.yaml': web('bad'),
      'images.yaml': images,
    })
    await gitops.until('waiting', bad)
    await gitops.plane.client.patch(configMap, { namespace: 'default', name: 'a' }, 'merge', {
      data: { color: 'red' },
    })
    await gitops.clock.run(10)
    expect((await gitops.find(configMap, 'a', 'default'))?.data).toEqual({ color: 'blue' })
  })

  test('fields that others decide are left to them', async () => {
    await gitops.commit({ 'web.yaml': web('1') })
    await gitops.plane.client.patch(applicationKind, { namespace: 'default', name: 'demo' }, 'merge', {
      spec: { ignoreDifferences: [{ kind: 'Deployment', jsonPointers: ['/spec/replicas'] }] },
    })
    await gitops.clock.run(1000)
    await gitops.plane.client
      .as('autoscaler')
      .patch(deployment, { namespace: 'default', name: 'web' }, 'merge', { spec: { replicas: 5 } })
    await gitops.clock.run(30_000)
    await gitops.commit({ 'web.yaml': web('2') })
    const live = await gitops.find(deployment, 'web', 'default')
    expect([live?.spec.replicas, live?.spec.template.spec?.containers[0]?.image]).toEqual([
      5,
      'registry.example/web:2',
    ])
  })

  test('suspended: nothing is applied and nothing put back, until resumed', async () => {
    const set = (suspend: boolean) =>
      gitops.plane.client.patch(applicationKind, { namespace: 'default', name: 'demo' }, 'merge', {
        spec: { suspend },
      })
    await gitops.commit({ 'a.yaml': settings('a') })
    await set(true)
    await gitops.clock.run(100)
    gitops.source.commit('while suspended', { 'a.yaml': settings('a', 'green') })
    await gitops.plane.client.patch(configMap, { namespace: 'default', name: 'a' }, 'merge', {
      data: { color: 'red' },
    })
    await gitops.clock.run(10 * 60_000)
    expect((await gitops.find(configMap, 'a', 'default'))?.data).toEqual({ color: 'red' })
    await set(false)
    await gitops.clock.run(1000)
    expect((await gitops.find(configMap, 'a', 'default'))?.data).toEqual({ color: 'green' })
  })

  test('a source that fails deletes nothing, is waited for, and the status recovers', async () => {
    await gitops.commit({ 'a.yaml': settings('a') })
    gitops.source.outage = 'Cannot fetch: connection refused'
    await gitops.clock.run(5 * 60_000)
    expect(await gitops.conditions()).toContain('Ready=False/SourceFailed')
    expect(await gitops.find(configMap, 'a', 'default')).toBeDefined()
    gitops.source.outage = undefined
    await gitops.clock.run(5 * 60_000)
    expect(await gitops.conditions()).toContain('Ready=True/Healthy')
  })

  test('a rewritten history is followed; the way back survives that its commit is gone', async () => {
    await gitops.commit({ 'web.yaml': web('1'), 'images.yaml': images })
    gitops.source.forget()
    await gitops.commit({ 'web.yaml': web('bad'), 'images.yaml': images }, { subject: 'forced' })
    const live = await gitops.find(deployment, 'web', 'default')
    expect(live?.spec.template.spec?.containers[0]?.image).toBe('registry.example/web:1')
  })

  test('objects that fall ill later show in the Healthy condition, and no commit is blamed', async () => {
    const id = await gitops.commit({ 'web.yaml': web('1'), 'images.yaml': images })
    await gitops.plane.client
      .as('tester')
      .patch(applicationKind, { namespace: 'default', name: 'demo' }, 'merge', { spec: { selfHeal: false } })
    await gitops.clock.run(1000)
    const before = await gitops.find(deployment, 'web', 'default')
    await gitops.plane.client.delete(deployment, { namespace: 'default', name: 'web' })
    await gitops.clock.run(60_000)
    expect(await gitops.conditions()).toContain('Healthy=False/Degraded')
    expect((await gitops.status()).lastHealthyCommit).toBe(id)
    const told = () =>
      gitops.progress
        .filter(({ type }) => type === 'degraded' || type === 'recovered')
        .map(({ type }) => type)
    expect(told()).toEqual(['degraded'])
    const [found] = (await gitops.plane.client.list(eventKind, { fieldSelector: 'reason=Degraded' })).items
    expect(found?.message).toBe('Deployment default/web: does not exist')
    const { resourceVersion: _, uid: __, ...metadata } = before?.metadata ?? { name: 'web' }
    if (before) await gitops.plane.client.create(deployment, { ...before, metadata })
    await gitops.clock.run(60_000)
    expect(told()).toEqual(['degraded', 'recovered'])
  })
})

describe('several applications', () => {
  let gitops: GitOps
  beforeEach(async () => {
    gitops = await startGitOps()
  })
  afterEach(() => gitops.close())

  const app = (name: string, path: string, more = '') => `
apiVersion: seamark.dev/v1alpha1
kind: Application
metadata: { name: ${name}, namespace: default }
spec: { source: { path: ${path} }${more} }
`
  const ownerOf = async (name: string) =>
    (await gitops.find(configMap, name, 'default'))?.metadata.annotations?.['seamark.dev/application']

  test('each has its own folder; the root leaves those folders to them', async () => {
    await gitops.commit({
      'root.yaml': settings('r'),
      'seamark.yaml': app('one', 'one'),
      'one/a.yaml': settings('a'),
    })
    await gitops.clock.run(5000)
    expect([await ownerOf('r'), await ownerOf('a')]).toEqual(['default/demo', 'default/one'])
    expect(await gitops.conditions('one')).toContain('Ready=True/Healthy')
  })

  test('a folder that gets an Application is handed over: its objects keep their identity', async () => {
    await gitops.commit({ 'root.yaml': settings('r'), 'one/a.yaml': settings('a') })
    const before = await gitops.find(configMap, 'a', 'default')
    await gitops.commit({
      'root.yaml': settings('r'),
      'one/a.yaml': settings('a'),
      'seamark.yaml': app('one', 'one'),
    })
    await gitops.clock.run(30_000)
    const now = await gitops.find(configMap, 'a', 'default')
    expect([await ownerOf('a'), now?.metadata.uid]).toEqual(['default/one', before?.metadata.uid])
  })

  test('a file that moves from one to the other is handed over', async () => {
    const apps = `${app('one', 'one')}---${app('two', 'two')}`
    const base = { 'seamark.yaml': apps, 'one/x.yaml': settings('x'), 'two/z.yaml': settings('z') }
    await gitops.commit({ ...base, 'one/a.yaml': settings('a') })
    await gitops.clock.run(5000)
    const before = await gitops.find(configMap, 'a', 'default')
    expect(await ownerOf('a')).toBe('default/one')
    await gitops.commit({ ...base, 'two/a.yaml': settings('a') })
    await gitops.clock.run(60_000)
    const now = await gitops.find(configMap, 'a', 'default')
    expect([await ownerOf('a'), now?.metadata.uid]).toEqual(['default/two', before?.metadata.uid])
  })

  test('a file that moves to one that cannot be read is not deleted on the way', async () => {
    const apps = `${app('one', 'one')}---${app('two', 'two')}`
    const base = { 'seamark.yaml': apps, 'one/x.yaml': settings('x'), 'two/z.yaml': settings('z') }
    await gitops.commit({ ...base, 'one/a.yaml': settings('a') })
    await gitops.clock.run(5000)
    const before = await gitops.find(configMap, 'a', 'default')
    await gitops.commit({ ...base, 'two/a.yaml': settings('a'), 'two/broken.yaml': 'a: [' })
    await gitops.clock.run(60_000)
    expect((await gitops.find(configMap, 'a', 'default'))?.metadata.uid).toBe(before?.metadata.uid)
    await gitops.commit({ ...base, 'two/a.yaml': settings('a') }, { subject: 'fixed' })
    await gitops.clock.run(60_000)
    const now = await gitops.find(configMap, 'a', 'default')
    expect([await ownerOf('a'), now?.metadata.uid]).toEqual(['default/two', before?.metadata.uid])
  })

  test('an object that two claim is refused to the second, and nothing is deleted', async () => {
    await gitops.commit({
      'seamark.yaml': app('one', 'one'),
      'one/a.yaml': settings('a'),
      'root.yaml': settings('r'),
    })
    await gitops.clock.run(5000)
    await gitops.commit({
      'seamark.yaml': app('one', 'one'),
      'one/a.yaml': settings('a'),
      'root.yaml': settings('a'),
    })
    await gitops.clock.run(5000)
    const message = (await gitops.status()).conditions?.find(({ type }) => type === 'Ready')?.message
    expect(message).toContain('ConfigMap "a" is already in one/a.yaml:2; keep one of them (root.yaml:4:19)')
    expect(await ownerOf('a')).toBe('default/one')
  })

  test('one waits until those it depends on are healthy on the same commit', async () => {
    const apps = `${app('one', 'one')}---${app('two', 'two', ', dependsOn: [{ name: one }]')}`
    await gitops.commit({
      'seamark.yaml': apps,
      'one/web.yaml': web('bad'),
      'one/i.yaml': images,
      'two/b.yaml': settings('b'),
    })
    await gitops.clock.run(60_000)
    expect(await gitops.find(configMap, 'b', 'default')).toBeUndefined()
    await gitops.commit({
      'seamark.yaml': apps,
      'one/web.yaml': web('1'),
      'one/i.yaml': images,
      'two/b.yaml': settings('b'),
    })
    await gitops.clock.run(60_000)
    expect(await gitops.find(configMap, 'b', 'default')).toBeDefined()
  })

  test('a field that is not supported stalls its Application and says so', async () => {
    await gitops.commit({
      'a.yaml': `${app('one', 'one', ', serviceAccountName: robot')}`,
      'one/a.yaml': settings('a'),
    })
    await gitops.clock.run(1000)
    expect(await gitops.conditions('one')).toEqual(['Ready=False/NotSupported', 'Stalled=True/NotSupported'])
    expect(await gitops.find(service, 'a', 'default')).toBeUndefined()
  })
})
