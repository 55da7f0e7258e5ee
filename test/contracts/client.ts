import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ConfigMap, configMap } from '../../src/api/kinds/config-map.ts'
import { type Deployment, deployment } from '../../src/api/kinds/deployment.ts'
import { namespace } from '../../src/api/kinds/namespace.ts'
import { node } from '../../src/api/kinds/node.ts'
import { type Pod, pod } from '../../src/api/kinds/pod.ts'
import { type PodDisruptionBudget, podDisruptionBudget } from '../../src/api/kinds/pod-disruption-budget.ts'
import { secret } from '../../src/api/kinds/secret.ts'
import { service } from '../../src/api/kinds/service.ts'
import type { Resource } from '../../src/api/resource.ts'
import { ApiError, isReason } from '../../src/api/status.ts'
import type { Client, WatchEvent } from '../../src/client/client.ts'
import { make } from '../support/make.ts'

export interface ClientUnderTest {
  readonly client: Client
  close(): Promise<void>
}

/** What every implementation of Client does alike, in process and over HTTP. `open` gives an empty API server with the namespace "default". */
export function clientContract(name: string, open: () => Promise<ClientUnderTest>): void {
  describe(`${name} as a Client`, () => {
    let client: Client
    let close: () => Promise<void>
    let count = 0
    const fresh = (prefix: string) => `${prefix}-${++count}`
    beforeAll(async () => {
      ;({ client, close } = await open())
    })
    afterAll(() => close())

    const failure = async (promise: Promise<unknown>): Promise<ApiError> => {
      try {
        await promise
      } catch (error) {
        if (error instanceof ApiError) return error
        throw error
      }
      throw new Error('Nothing was thrown')
    }
    const settings = (
      data: Record<string, string> = { color: 'blue' },
      metadata: object = {},
    ): ConfigMap => ({ ...make.configMap({ metadata: { name: fresh('settings'), ...metadata } }), data })
    const keyOf = ({ metadata }: Resource) => ({ namespace: metadata.namespace, name: metadata.name })

    describe('create', () => {
      test('gives identity, a revision and defaults, and a read sees it', async () => {
        const made = await client.create(deployment, make.deployment({ metadata: { name: fresh('web') } }))
        expect(made.metadata).toMatchObject({ namespace: 'default', generation: 1 })
        expect(made.metadata.uid).toMatch(/^[0-9a-f-]{36}$/)
        expect(Number(made.metadata.resourceVersion)).toBeGreaterThan(0)
        expect(made.spec).toMatchObject({
          progressDeadlineSeconds: 600,
          strategy: { rollingUpdate: { maxSurge: '25%' } },
        })
        expect(await client.get(deployment, keyOf(made))).toEqual(made)
      })
      test('refuses a name that is taken', async () => {
        const made = await client.create(configMap, settings())
        const error = await failure(client.create(configMap, settings({}, { name: made.metadata.name })))
        expect(error.toStatus()).toMatchObject({
          reason: 'AlreadyExists',
          code: 409,
          message: `configmaps "${made.metadata.name}" already exists`,
        })
      })
      test('draws a name from generateName', async () => {
        const made = await client.create(configMap, {
          ...settings(),
          metadata: { generateName: 'drawn-', namespace: 'default' },
        } as unknown as ConfigMap)
        expect(made.metadata.name).toMatch(/^drawn-[bcdfghjklmnpqrstvwxz2456789]{5}$/)
      })
      test('refuses what is invalid, naming every fault as Kubernetes does', async () => {
        const error = await failure(
          client.create(deployment, make.deployment({ metadata: { name: 'Web' }, spec: { replicas: -1 } })),
        )
        expect(error.reason).toBe('Invalid')
        expect(error.causes.map(({ field }) => field)).toEqual(['metadata.name', 'spec.replicas'])
        expect(error.message).toMatch(
          /^Deployment\.apps "Web" is invalid: \[metadata\.name: Invalid value: "Web": a lowercase RFC 1123 subdomain .*, spec\.replicas: Invalid value: -1: must be greater than or equal to 0\]$/,
        )
      })
      test('refuses an unknown field when strict', async () => {
        const error = await failure(
          client.create(configMap, { ...settings(), bogus: 1 } as ConfigMap, { fieldValidation: 'Strict' }),
        )
        expect(error.message).toContain('strict decoding error: unknown field "bogus"')
      })
      test('refuses a namespace that is not there', async () => {
        const error = await failure(client.create(configMap, settings({}, { namespace: 'nowhere' })))
        expect(error.message).toBe('namespaces "nowhere" not found')
      })
      test('with dryRun stores nothing', async () => {
        const wanted = settings()
        const made = await client.create(configMap, wanted, { dryRun: true })
        expect(made.metadata.uid).toBeDefined()
        expect((await failure(client.get(configMap, keyOf(wanted)))).reason).toBe('NotFound')
      })
      test('merges stringData of a Secret and never stores it', async () => {
        const made = await client.create(secret, {
          apiVersion: 'v1',
          kind: 'Secret',
          metadata: { name: fresh('s'), namespace: 'default' },
          stringData: { a: 'x' },
        })
        expect(made).toMatchObject({ data: { a: 'eA==' }, type: 'Opaque' })
        expect(made).not.toHaveProperty('stringData')
      })
      test('gives Services different cluster IPs', async () => {
        const made = await Promise.all(
          Array.from({ length: 10 }, () =>
            client.create(service, make.service({ metadata: { name: fresh('svc') } })),
          ),
        )
        expect(new Set(made.map(({ spec }) => spec.clusterIP)).size).toBe(10)
        expect(made.every(({ spec }) => spec.clusterIP?.startsWith('10.96.'))).toBe(true)
      })
    })

    describe('update', () => {
      test('with an old resourceVersion is a Conflict', async () => {
        const made = await client.create(configMap, settings())
        await client.update(configMap, { ...made, data: { color: 'red' } })
        const error = await failure(client.update(configMap, { ...made, data: { color: 'green' } }))
        expect(error.message).toBe(
          `Operation cannot be fulfilled on configmaps "${made.metadata.name}": the object has been modified; please apply your changes to the latest version and try again`,
        )
      })
      test('of nothing writes nothing', async () => {
        const made = await client.create(configMap, settings())
        expect((await client.update(configMap, made)).metadata.resourceVersion).toBe(
          made.metadata.resourceVersion,
        )
      })
      test('raises the generation for the spec, not for the status, which has its own door', async () => {
        const made = await client.create(deployment, make.deployment({ metadata: { name: fresh('web') } }))
        const scaled = await client.update(deployment, {
          ...made,
          spec: { ...made.spec, replicas: 5 },
          status: { replicas: 99 },
        } as Deployment)
        expect([scaled.metadata.generation, scaled.status]).toEqual([2, {}])
        const observed = await client.update(
          deployment,
          { ...scaled, spec: { ...scaled.spec, replicas: 1 }, status: { replicas: 5 } } as Deployment,
          { subresource: 'status' },
        )
        expect([observed.metadata.generation, observed.spec.replicas, observed.status?.replicas]).toEqual([
          2, 5, 5,
        ])
      })
      test('refuses to change what is immutable', async () => {
        const made = await client.create(deployment, make.deployment({ metadata: { name: fresh('web') } }))
        const labels = { app: 'other' }
        const error = await failure(
          client.update(deployment, {
            ...made,
            spec: {
              ...made.spec,
              selector: { matchLabels: labels },
              template: { ...made.spec.template, metadata: { labels } },
            },
          } as Deployment),
        )
        expect(error.causes[0]).toMatchObject({
          field: 'spec.selector',
          message: expect.stringContaining('field is immutable'),
        })
      })
    })

    describe('patch', () => {
      test('json, merge and strategic', async () => {
        const made = await client.create(deployment, make.deployment({ metadata: { name: fresh('web') } }))
        const key = keyOf(made)
        expect(
          (await client.patch(deployment, key, 'json', [{ op: 'replace', path: '/spec/replicas', value: 4 }]))
            .spec.replicas,
        ).toBe(4)
        expect(
          (await client.patch(deployment, key, 'merge', { metadata: { labels: { a: 'b' } } })).metadata
            .labels,
        ).toEqual({ a: 'b' })
        const patched = await client.patch(deployment, key, 'strategic', {
          spec: { template: { spec: { containers: [{ name: 'app', image: 'registry.example/app:2' }] } } },
        })
        expect(patched.spec.template.spec?.containers).toMatchObject([
          { name: 'app', image: 'registry.example/app:2', imagePullPolicy: 'IfNotPresent' },
        ])
      })
      test('is worked out again when somebody else was faster', async () => {
        const made = await client.create(configMap, settings({}))
        await Promise.all(
          Array.from({ length: 8 }, (_, i) =>
            client.patch(configMap, keyOf(made), 'merge', { data: { [`k${i}`]: 'x' } }),
          ),
        )
        expect(Object.keys((await client.get(configMap, keyOf(made))).data ?? {})).toHaveLength(8)
      })
    })

    describe('apply', () => {
      test('creates, changes nothing the second time, and prunes what is no longer mentioned', async () => {
        const wanted = settings({ a: '1', b: '2' })
        const made = await client.apply(configMap, wanted, { fieldManager: 'git' })
        expect(
          (await client.apply(configMap, wanted, { fieldManager: 'git' })).metadata.resourceVersion,
        ).toBe(made.metadata.resourceVersion)
        expect(
          (await client.apply(configMap, { ...wanted, data: { a: '1' } }, { fieldManager: 'git' })).data,
        ).toEqual({ a: '1' })
      })
      test('conflicts with another owner, and takes over when forced', async () => {
        const wanted = settings({ a: '1' })
        await client.apply(configMap, wanted, { fieldManager: 'one' })
        const other = { ...wanted, data: { a: '2' } }
        const error = await failure(client.apply(configMap, other, { fieldManager: 'two' }))
        expect([error.reason, error.causes]).toEqual([
          'Conflict',
          [{ reason: 'FieldManagerConflict', message: 'conflict with "one"', field: '.data.a' }],
        ])
        expect((await client.apply(configMap, other, { fieldManager: 'two', force: true })).data).toEqual({
          a: '2',
        })
      })
    })

    describe('delete', () => {
      test('removes at once what nothing holds', async () => {
        const made = await client.create(configMap, settings())
        await client.delete(configMap, keyOf(made))
        expect((await failure(client.delete(configMap, keyOf(made)))).message).toBe(
          `configmaps "${made.metadata.name}" not found`,
        )
      })
      test('waits for finalizers', async () => {
        const made = await client.create(configMap, settings({}, { finalizers: ['example.com/hold'] }))
        const going = await client.delete(configMap, keyOf(made))
        expect(going.metadata.deletionTimestamp).toBeDefined()
        await client.patch(configMap, keyOf(made), 'merge', { metadata: { finalizers: null } })
        expect((await failure(client.get(configMap, keyOf(made)))).reason).toBe('NotFound')
      })
      test('keeps its preconditions', async () => {
        const made = await client.create(configMap, settings())
        const error = await failure(
          client.delete(configMap, keyOf(made), { preconditions: { uid: 'other' } }),
        )
        expect(error.message).toContain(
          `Precondition failed: UID in precondition: other, UID in object meta: ${made.metadata.uid}`,
        )
      })
      test('gives a running pod its grace period, which a second delete may shorten', async () => {
        const made = await client.create(pod, make.pod({ metadata: { name: fresh('web') } }))
        await client.createSubresource(pod, keyOf(made), 'binding', { target: { kind: 'Node', name: 'a' } })
        expect((await client.delete(pod, keyOf(made))).metadata.deletionGracePeriodSeconds).toBe(30)
        expect(
          (await client.delete(pod, keyOf(made), { gracePeriodSeconds: 5 })).metadata
            .deletionGracePeriodSeconds,
        ).toBe(5)
        await client.delete(pod, keyOf(made), { gracePeriodSeconds: 0 })
        expect((await failure(client.get(pod, keyOf(made)))).reason).toBe('NotFound')
      })
      test('of a collection takes what is selected', async () => {
        const made = await Promise.all(
          ['x', 'x', 'y'].map((group) => client.create(configMap, settings({}, { labels: { group } }))),
        )
        await client.deleteCollection(configMap, { namespace: 'default', labelSelector: 'group=x' })
        const left = await client.list(configMap, { namespace: 'default', labelSelector: 'group' })
        expect(left.items.map(({ metadata }) => metadata.name)).toEqual([made[2]?.metadata.name])
      })
      test('marks a namespace Terminating and refuses new content', async () => {
        const name = fresh('going')
        await client.create(namespace, { apiVersion: 'v1', kind: 'Namespace', metadata: { name }, spec: {} })
        expect((await client.delete(namespace, { name })).status?.phase).toBe('Terminating')
        const error = await failure(client.create(configMap, settings({}, { namespace: name })))
        expect(error.causes[0]?.reason).toBe('NamespaceTerminating')
      })
    })

    describe('list', () => {
      test('by labels and fields, and pages that add up to the whole', async () => {
        const group = fresh('page')
        for (let i = 0; i < 7; i += 1)
          await client.create(configMap, settings({}, { labels: { group, even: String(i % 2 === 0) } }))
        const all = await client.list(configMap, { namespace: 'default', labelSelector: `group=${group}` })
        expect(all.items).toHaveLength(7)
        expect(
          (await client.list(configMap, { namespace: 'default', labelSelector: `group=${group},even!=true` }))
            .items,
        ).toHaveLength(3)
        const paged: string[] = []
        let more: string | undefined
        do {
          const page = await client.list(configMap, {
            namespace: 'default',
            labelSelector: `group=${group}`,
            limit: 3,
            continue: more,
          })
          paged.push(...page.items.map(({ metadata }) => metadata.name))
          more = page.continue
          if (more) await client.create(configMap, settings({}, { name: fresh('a-late'), labels: { group } }))
        } while (more)
        expect(paged).toEqual(all.items.map(({ metadata }) => metadata.name))
      })
      test('by metadata.name', async () => {
        const made = await client.create(configMap, settings())
        const { items } = await client.list(configMap, {
          namespace: 'default',
          fieldSelector: `metadata.name=${made.metadata.name}`,
        })
        expect(items).toEqual([made])
      })
      test.each([
        ['fieldSelector', { fieldSelector: 'spec.bogus=1' }, 'field label not supported: spec.bogus'],
        ['labelSelector', { labelSelector: 'a in' }, 'unable to parse requirement'],
        ['continue', { continue: 'bogus', limit: 1 }, 'continue key is not valid'],
      ])('refuses an invalid %s', async (_, options, message) =>
        expect((await failure(client.list(configMap, options))).message).toContain(message),
      )
    })

    describe('watch', () => {
      const take = async <R>(
        events: AsyncIterable<WatchEvent<R>>,
        wanted: number,
      ): Promise<WatchEvent<R>[]> => {
        const taken: WatchEvent<R>[] = []
        for await (const event of events) {
          taken.push(event)
          if (taken.length === wanted) break
        }
        return taken
      }
      const shown = (events: WatchEvent<Resource>[]) =>
        events.map(({ type, object }) => `${type} ${object.metadata.name}`)

      test('from a revision yields each change once, in order', async () => {
        const { resourceVersion } = await client.list(configMap)
        const made = await client.create(configMap, settings())
        await client.patch(configMap, keyOf(made), 'merge', { data: { color: 'red' } })
        await client.delete(configMap, keyOf(made))
        const events = await take(client.watch(configMap, { namespace: 'default', resourceVersion }), 3)
        const { name } = made.metadata
        expect(shown(events)).toEqual([`ADDED ${name}`, `MODIFIED ${name}`, `DELETED ${name}`])
        const revisions = events.map(({ object }) => Number(object.metadata.resourceVersion))
        expect(revisions).toEqual([...revisions].sort((a, b) => a - b))
        expect(new Set(revisions).size).toBe(3)
      })
      test('with a selector turns changes of the match into ADDED and DELETED', async () => {
        const { resourceVersion } = await client.list(configMap)
        const group = fresh('sel')
        const made = await client.create(configMap, settings())
        await client.patch(configMap, keyOf(made), 'merge', { metadata: { labels: { group } } })
        await client.patch(configMap, keyOf(made), 'merge', { data: { color: 'red' } })
        await client.patch(configMap, keyOf(made), 'merge', { metadata: { labels: { group: null } } })
        const events = await take(
          client.watch(configMap, { namespace: 'default', labelSelector: `group=${group}`, resourceVersion }),
          3,
        )
        expect(events.map(({ type }) => type)).toEqual(['ADDED', 'MODIFIED', 'DELETED'])
      })
      test('with sendInitialEvents begins with what is there and says where that ends', async () => {
        const group = fresh('init')
        const made = await client.create(configMap, settings({}, { labels: { group } }))
        const events = await take(
          client.watch(configMap, {
            namespace: 'default',
            labelSelector: `group=${group}`,
            sendInitialEvents: true,
            allowWatchBookmarks: true,
            resourceVersionMatch: 'NotOlderThan',
          }),
          2,
        )
        expect(events[0]).toMatchObject({ type: 'ADDED', object: { metadata: { name: made.metadata.name } } })
        expect(events[1]).toMatchObject({
          type: 'BOOKMARK',
          object: { metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } } },
        })
      })
      test('ends without an error when its signal aborts', async () => {
        const stop = new AbortController()
        const ended = take(
          client.watch(configMap, {
            namespace: 'default',
            resourceVersion: (await client.list(configMap)).resourceVersion,
            signal: stop.signal,
          }),
          1,
        )
        stop.abort()
        expect(await ended).toEqual([])
      })
    })

    describe('subresources', () => {
      test('a pod is bound once', async () => {
        const made = await client.create(pod, make.pod({ metadata: { name: fresh('web') } }))
        await client.createSubresource(pod, keyOf(made), 'binding', { target: { kind: 'Node', name: 'a' } })
        const bound = await client.get(pod, keyOf(made))
        expect([bound.spec.nodeName, bound.status?.conditions?.[0]]).toMatchObject([
          'a',
          { type: 'PodScheduled', status: 'True' },
        ])
        const error = await failure(
          client.createSubresource(pod, keyOf(made), 'binding', { target: { kind: 'Node', name: 'b' } }),
        )
        expect(error.message).toContain(`pod ${made.metadata.name} is already assigned to node "a"`)
      })
      test('a Deployment is scaled by update and by patch, and answers with its Scale', async () => {
        const made = await client.create(deployment, make.deployment({ metadata: { name: fresh('web') } }))
        const scale = { subresource: 'scale' }
        const wanted = { ...made, spec: { replicas: 5 } } as Deployment
        expect(await client.update(deployment, wanted, scale)).toMatchObject({
          apiVersion: 'autoscaling/v1',
          kind: 'Scale',
          spec: { replicas: 5 },
        })
        const key = keyOf(made)
        expect(await client.patch(deployment, key, 'merge', { spec: { replicas: 0 } }, scale)).toMatchObject({
          kind: 'Scale',
          status: { replicas: 0 },
        })
        const patch = [{ op: 'add', path: '/spec/replicas', value: 2 }]
        await client.patch(deployment, key, 'json', patch, scale)
        expect((await client.get(deployment, key)).spec.replicas).toBe(2)
        const error = await failure(client.patch(deployment, key, 'merge', { spec: { replicas: -1 } }, scale))
        expect(error.message).toContain(
          'spec.replicas: Invalid value: -1: must be greater than or equal to 0',
        )
      })
      test('a door that the kind does not have is NotFound', async () => {
        const made = await client.create(configMap, settings())
        for (const subresource of ['status', 'scale', 'bogus']) {
          const asked = client.patch(configMap, keyOf(made), 'merge', { data: { a: 'b' } }, { subresource })
          expect((await failure(asked)).reason).toBe('NotFound')
        }
        expect(await client.get(configMap, keyOf(made))).toEqual(made)
      })
      test('an eviction that the budget forbids is refused in the words kubectl drain shows', async () => {
        const app = fresh('guarded')
        const made = await client.create(pod, make.pod({ metadata: { name: app, labels: { app } } }))
        await client.createSubresource(pod, keyOf(made), 'binding', { target: { kind: 'Node', name: 'a' } })
        await client.patch(
          pod,
          keyOf(made),
          'merge',
          { status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] } },
          { subresource: 'status' },
        )
        const budget: PodDisruptionBudget = {
          apiVersion: 'policy/v1',
          kind: 'PodDisruptionBudget',
          metadata: { name: app, namespace: 'default' },
          spec: { minAvailable: 1, selector: { matchLabels: { app } } },
        }
        const stored = await client.create(podDisruptionBudget, budget)
        await client.update(
          podDisruptionBudget,
          {
            ...stored,
            status: {
              observedGeneration: 1,
              currentHealthy: 1,
              desiredHealthy: 1,
              disruptionsAllowed: 0,
              expectedPods: 1,
            },
          },
          { subresource: 'status' },
        )
        const error = await failure(
          client.createSubresource(pod, keyOf(made), 'eviction', { metadata: { name: app } }),
        )
        expect([error.code, error.message, error.causes[0]?.message]).toEqual([
          429,
          "Cannot evict pod as it would violate the pod's disruption budget.",
          `The disruption budget ${app} needs 1 healthy pods and has 1 currently`,
        ])
        await client.patch(
          podDisruptionBudget,
          keyOf(stored),
          'merge',
          { status: { disruptionsAllowed: 1 } },
          { subresource: 'status' },
        )
        await client.createSubresource(pod, keyOf(made), 'eviction', { metadata: { name: app } })
        const going = await client.get(pod, keyOf(made))
        expect(going.metadata.deletionTimestamp).toBeDefined()
        const spent = await client.get(podDisruptionBudget, keyOf(stored))
        expect(spent.status).toMatchObject({
          disruptionsAllowed: 0,
          disruptedPods: { [app]: expect.any(String) },
        })
      })
      test('an unknown pod is NotFound', async () =>
        expect(
          isReason(
            await failure(
              client.createSubresource(pod, { namespace: 'default', name: 'nope' }, 'eviction', {}),
            ),
            'NotFound',
          ),
        ).toBe(true))
    })

    test('what is returned is frozen', async () => {
      const made = await client.create(node, make.node({ metadata: { name: fresh('node') } }))
      expect(Object.isFrozen(made) || Object.isFrozen(made.metadata)).toBe(true)
    })

    test('pods keep every write that touches only what may change', async () => {
      const made = await client.create(pod, make.pod({ metadata: { name: fresh('web') } }))
      const error = await failure(client.patch(pod, keyOf(made), 'merge', { spec: { hostname: 'other' } }))
      expect(error.message).toContain('pod updates may not change fields other than')
      const patched: Pod = await client.patch(pod, keyOf(made), 'strategic', {
        spec: { containers: [{ name: 'app', image: 'registry.example/app:2' }] },
      })
      expect(patched.spec.containers[0]?.image).toBe('registry.example/app:2')
    })
  })
}
