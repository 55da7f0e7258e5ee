import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { KindRef } from '../../src/api/kind.ts'
import { configMap } from '../../src/api/kinds/config-map.ts'
import { customResourceDefinition } from '../../src/api/kinds/custom-resource-definition.ts'
import type { AnyResource } from '../../src/api/resource.ts'
import { validate } from '../../src/review/validate.ts'
import { type GitOps, startGitOps } from '../support/gitops.ts'

const crd = (maximum = 10) => `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: boats.sea.example }
spec:
  group: sea.example
  scope: Namespaced
  names: { plural: boats, kind: Boat }
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              required: [crew]
              properties:
                crew: { type: integer, maximum: ${maximum} }
                flag: { type: string, default: white }
`
const boat = (crew: number) => `
apiVersion: sea.example/v1
kind: Boat
metadata: { name: kon-tiki, namespace: default }
spec: { crew: ${crew} }
`
const boats: KindRef<AnyResource> = {
  group: 'sea.example',
  version: 'v1',
  kind: 'Boat',
  plural: 'boats',
  scope: 'Namespaced',
}
const map = `
apiVersion: v1
kind: ConfigMap
metadata: { name: chart, namespace: default }
`

describe('a repository with a definition and its objects', () => {
  let gitops: GitOps
  beforeEach(async () => {
    gitops = await startGitOps()
  })
  afterEach(() => gitops.close())
  const last = () => gitops.progress.at(-1)?.type
  const kontiki = () => gitops.find(boats, 'kon-tiki', 'default')

  test('converges with one commit, whatever the order of the files', async () => {
    await gitops.commit({ 'a-boat.yaml': boat(6), 'z-crd.yaml': crd(), 'map.yaml': map })
    expect(await gitops.conditions()).toContain('Ready=True/Healthy')
    expect((await kontiki())?.spec).toEqual({ crew: 6, flag: 'white' })
  })

  test('is refused before anything is applied when an object does not fit, with the place of the field', async () => {
    await gitops.commit({ 'a-boat.yaml': boat(60), 'z-crd.yaml': crd(), 'map.yaml': map })
    expect(last()).toBe('failed')
    expect(gitops.progress.at(-1)).toMatchObject({
      failure: {
        message: expect.stringContaining('spec.crew in body should be less than or equal to 10'),
        places: [{ file: 'a-boat.yaml', line: 5 }],
      },
    })
    expect(await gitops.find(configMap, 'chart', 'default')).toBeUndefined()
  })

  test('may change both at once', async () => {
    await gitops.commit({ 'boat.yaml': boat(6), 'crd.yaml': crd() })
    await gitops.commit({ 'boat.yaml': boat(60), 'crd.yaml': crd(100) })
    expect(last()).toBe('healthy')
    expect((await kontiki())?.spec?.['crew']).toBe(60)
  })

  test('takes both away at once, but keeps a definition that others use', async () => {
    await gitops.commit({ 'boat.yaml': boat(6), 'crd.yaml': crd(), 'map.yaml': map })
    const foreign = {
      apiVersion: 'sea.example/v1',
      kind: 'Boat',
      metadata: { name: 'ra', namespace: 'default' },
    }
    await gitops.plane.client.create(boats, { ...foreign, spec: { crew: 7 } } as AnyResource)
    await gitops.commit({ 'map.yaml': map })
    expect(await kontiki()).toBeUndefined()
    expect(await gitops.find(customResourceDefinition, 'boats.sea.example')).toBeDefined()
    expect(await gitops.find(boats, 'ra', 'default')).toBeDefined()
  })

  test('with a webhook of its own, which only simulated pods serve, is not locked out by it', async () => {
    const hook = `
apiVersion: v1
kind: Service
metadata: { name: hooks, namespace: default }
spec: { selector: { app: hooks }, ports: [{ port: 443, targetPort: 8443 }] }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: hooks, namespace: default }
spec:
  selector: { matchLabels: { app: hooks } }
  template:
    metadata: { labels: { app: hooks } }
    spec: { containers: [{ name: hooks, image: "registry.example/hooks:1" }] }
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: { name: hooks }
webhooks:
  - name: maps.hooks.example.com
    admissionReviewVersions: [v1]
    sideEffects: None
    clientConfig: { service: { name: hooks, namespace: default } }
    rules: [{ operations: ["*"], apiGroups: [""], apiVersions: [v1], resources: [configmaps] }]
`
    await gitops.commit({ 'hook.yaml': hook, 'map.yaml': map })
    expect(last()).toBe('healthy')
    await gitops.commit({ 'hook.yaml': hook, 'map.yaml': `${map}data: { a: b }\n` })
    expect(last()).toBe('healthy')
    expect((await gitops.find(configMap, 'chart', 'default'))?.data).toEqual({ a: 'b' })
  })

  test('is validated without a cluster', async () => {
    const review = await validate(gitops.plane.client, [
      { path: 'boat.yaml', text: boat(60) },
      { path: 'crd.yaml', text: crd() },
    ])
    expect(review.findings).toMatchObject([
      {
        rule: 'invalid',
        file: 'boat.yaml',
        line: 5,
        message: expect.stringContaining('less than or equal to 10'),
      },
    ])
  })
})
