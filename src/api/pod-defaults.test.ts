import { describe, expect, test } from 'vitest'
import type { V1Container, V1PodSpec, V1Volume } from './generated/types.ts'
import { pullPolicyOf } from './image-name.ts'
import { defaultPodOnly, defaultPodSpec, defaultPodTemplate } from './pod-defaults.ts'

const CONTAINER = { name: 'app', image: 'app:1' }
const spec = (over: Partial<V1PodSpec> = {}): V1PodSpec => ({ containers: [CONTAINER], ...over })
const container = (over: Partial<V1Container>) =>
  defaultPodSpec(spec({ containers: [{ ...CONTAINER, ...over }] })).containers[0]!
const podContainer = (over: Partial<V1Container>, pod: Partial<V1PodSpec> = {}) =>
  defaultPodOnly(defaultPodSpec(spec({ ...pod, containers: [{ ...CONTAINER, ...over }] }))).containers[0]!

describe('defaultPodSpec', () => {
  test('gives a bare spec what Kubernetes gives it', () => {
    expect(defaultPodSpec(spec())).toEqual({
      restartPolicy: 'Always',
      dnsPolicy: 'ClusterFirst',
      schedulerName: 'default-scheduler',
      terminationGracePeriodSeconds: 30,
      securityContext: {},
      containers: [
        {
          name: 'app',
          image: 'app:1',
          imagePullPolicy: 'IfNotPresent',
          terminationMessagePath: '/dev/termination-log',
          terminationMessagePolicy: 'File',
          resources: {},
        },
      ],
    })
  })

  test.each<[string, Partial<V1PodSpec>, Partial<V1PodSpec>]>([
    ['a restart policy', { restartPolicy: 'Never' }, { restartPolicy: 'Never' }],
    ['a dns policy', { dnsPolicy: 'None' }, { dnsPolicy: 'None' }],
    ['a grace period of 0', { terminationGracePeriodSeconds: 0 }, { terminationGracePeriodSeconds: 0 }],
    ['a scheduler', { schedulerName: 'mine' }, { schedulerName: 'mine' }],
    ['a security context', { securityContext: { runAsUser: 1 } }, { securityContext: { runAsUser: 1 } }],
  ])('keeps %s that is given', (_, given, expected) =>
    expect(defaultPodSpec(spec(given))).toMatchObject(expected),
  )

  test.each<[string, Partial<V1PodSpec>]>([
    ['serviceAccountName to serviceAccount', { serviceAccountName: 'robot' }],
    ['serviceAccount to serviceAccountName', { serviceAccount: 'robot' }],
  ])('copies %s', (_, given) =>
    expect(defaultPodSpec(spec(given))).toMatchObject({
      serviceAccountName: 'robot',
      serviceAccount: 'robot',
    }),
  )

  test('serviceAccountName wins over the old field', () => {
    const both = spec({ serviceAccountName: 'new', serviceAccount: 'old' })
    expect(defaultPodSpec(both)).toMatchObject({ serviceAccountName: 'new', serviceAccount: 'new' })
  })

  test('covers init and ephemeral containers', () => {
    const all = defaultPodSpec(spec({ initContainers: [CONTAINER], ephemeralContainers: [CONTAINER] }))
    expect(all.initContainers?.[0]?.imagePullPolicy).toBe('IfNotPresent')
    expect(all.ephemeralContainers?.[0]?.terminationMessagePolicy).toBe('File')
  })

  test('leaves to the pod what a template must not be given', () => {
    const template = defaultPodTemplate({
      spec: spec({
        hostNetwork: true,
        containers: [{ ...CONTAINER, ports: [{ containerPort: 80 }], resources: { limits: { cpu: '1' } } }],
      }),
    })
    expect(template.spec).not.toHaveProperty('enableServiceLinks')
    expect(template.spec?.containers[0]).toMatchObject({ resources: { limits: { cpu: '1' } } })
    expect(template.spec?.containers[0]?.resources).not.toHaveProperty('requests')
    expect(template.spec?.containers[0]?.ports).toEqual([{ containerPort: 80, protocol: 'TCP' }])
  })

  test('gives a template metadata and a spec', () =>
    expect(defaultPodTemplate(undefined)).toMatchObject({ metadata: {}, spec: { containers: [] } }))

  test('is idempotent', () => {
    const full = spec({
      hostNetwork: true,
      resources: { limits: { cpu: '2' } },
      volumes: [{ name: 'a' }, { name: 'b', secret: { secretName: 's' } }],
      containers: [
        { ...CONTAINER, livenessProbe: { httpGet: { port: 80 } }, ports: [{ containerPort: 80 }] },
      ],
    })
    const once = defaultPodOnly(defaultPodSpec(full))
    expect(defaultPodOnly(defaultPodSpec(once))).toEqual(once)
  })
})

describe('A container', () => {
  test.each<[string, Partial<V1Container>, Partial<V1Container>]>([
    ['a port TCP', { ports: [{ containerPort: 80 }] }, { ports: [{ containerPort: 80, protocol: 'TCP' }] }],
    [
      'an exec probe 1, 10, 1, 3',
      { livenessProbe: { exec: { command: ['x'] } } },
      {
        livenessProbe: {
          exec: { command: ['x'] },
          timeoutSeconds: 1,
          periodSeconds: 10,
          successThreshold: 1,
          failureThreshold: 3,
        },
      },
    ],
    [
      'a probe of zeros the same',
      { startupProbe: { periodSeconds: 0 } },
      { startupProbe: { periodSeconds: 10 } },
    ],
    [
      'a probe what it says',
      { readinessProbe: { periodSeconds: 2 } },
      { readinessProbe: { periodSeconds: 2 } },
    ],
    [
      'an HTTP probe path and scheme',
      { readinessProbe: { httpGet: { port: 80 } } },
      { readinessProbe: { httpGet: { port: 80, path: '/', scheme: 'HTTP' } } },
    ],
    [
      'a gRPC probe a service',
      { livenessProbe: { grpc: { port: 9 } } },
      { livenessProbe: { grpc: { port: 9, service: '' } } },
    ],
    [
      'an HTTP hook path and scheme',
      { lifecycle: { preStop: { httpGet: { port: 1 } }, postStart: { httpGet: { port: 2, path: '/x' } } } },
      {
        lifecycle: {
          preStop: { httpGet: { port: 1, path: '/', scheme: 'HTTP' } },
          postStart: { httpGet: { port: 2, path: '/x', scheme: 'HTTP' } },
        },
      },
    ],
    [
      'a field of the pod its version',
      { env: [{ name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }] },
      { env: [{ name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP', apiVersion: 'v1' } } }] },
    ],
  ])('gives %s', (_, given, expected) => expect(container(given)).toMatchObject(expected))

  test.each([
    ['app', 'Always'],
    ['app:latest', 'Always'],
    ['registry:5000/app', 'Always'],
    ['registry:5000/app:latest', 'Always'],
    ['app:1', 'IfNotPresent'],
    ['registry:5000/team/app:1.2', 'IfNotPresent'],
    ['app@sha256:0000', 'IfNotPresent'],
    ['app:latest@sha256:0000', 'Always'],
    ['app:latest-1', 'IfNotPresent'],
  ])('pulls %s %s', (image, policy) => expect(pullPolicyOf(image)).toBe(policy))
})

describe('A pod', () => {
  test('has service links', () => expect(defaultPodOnly(spec())).toMatchObject({ enableServiceLinks: true }))
  test('may do without service links', () =>
    expect(defaultPodOnly(spec({ enableServiceLinks: false })).enableServiceLinks).toBe(false))

  test.each<[string, V1Container['resources'], object]>([
    ['a limit is the request', { limits: { cpu: '1' } }, { limits: { cpu: '1' }, requests: { cpu: '1' } }],
    [
      'a request that is given stays',
      { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '100m' } },
      { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '100m', memory: '1Gi' } },
    ],
    ['a request is no limit', { requests: { cpu: '1' } }, { requests: { cpu: '1' } }],
    ['nothing stays nothing', {}, {}],
  ])('%s', (_, given, expected) => {
    expect(podContainer(given ? { resources: given } : {}).resources).toEqual(expected)
  })

  test('on the network of its host has its ports there', () => {
    const ports = [{ containerPort: 80 }, { containerPort: 81, hostPort: 81 }]
    expect(podContainer({ ports }, { hostNetwork: true }).ports?.map(({ hostPort }) => hostPort)).toEqual([
      80, 81,
    ])
    expect(podContainer({ ports }).ports?.map(({ hostPort }) => hostPort)).toEqual([undefined, 81])
  })

  test.each<[string, V1PodSpec['resources'], object]>([
    ['what the containers ask for', { limits: { cpu: '2' } }, { cpu: '500m' }],
    ['the limit where they ask for nothing', { limits: { memory: '1Gi' } }, { cpu: '500m', memory: '1Gi' }],
    ['what it says', { limits: { cpu: '2' }, requests: { cpu: '1' } }, { cpu: '1' }],
  ])('with pod-level limits requests %s', (_, resources, expected) => {
    const containers = [{ ...CONTAINER, resources: { requests: { cpu: '500m' } } }]
    expect(
      defaultPodOnly(spec({ containers, ...(resources ? { resources } : {}) })).resources?.requests,
    ).toEqual(expected)
  })

  test('with pod-level requests alone is left as it is', () =>
    expect(defaultPodOnly(spec({ resources: { requests: { cpu: '1' } } })).resources).toEqual({
      requests: { cpu: '1' },
    }))
})

describe('A volume', () => {
  test.each<[string, Omit<V1Volume, 'name'>, Omit<V1Volume, 'name'>]>([
    ['without a source is an emptyDir', {}, { emptyDir: {} }],
    ['of an emptyDir stays as it is', { emptyDir: { medium: 'Memory' } }, { emptyDir: { medium: 'Memory' } }],
    [
      'of a config map has mode 0644',
      { configMap: { name: 'c' } },
      { configMap: { name: 'c', defaultMode: 420 } },
    ],
    [
      'of a secret has mode 0644',
      { secret: { secretName: 's' } },
      { secret: { secretName: 's', defaultMode: 420 } },
    ],
    [
      'keeps a mode',
      { secret: { secretName: 's', defaultMode: 256 } },
      { secret: { secretName: 's', defaultMode: 256 } },
    ],
    ['of the host has an empty type', { hostPath: { path: '/x' } }, { hostPath: { path: '/x', type: '' } }],
    [
      'of the downward API reads v1',
      { downwardAPI: { items: [{ path: 'x', fieldRef: { fieldPath: 'metadata.name' } }] } },
      {
        downwardAPI: {
          defaultMode: 420,
          items: [{ path: 'x', fieldRef: { fieldPath: 'metadata.name', apiVersion: 'v1' } }],
        },
      },
    ],
    [
      'that is projected has tokens of an hour',
      {
        projected: {
          sources: [
            { serviceAccountToken: { path: 't' } },
            { downwardAPI: { items: [{ path: 'x', fieldRef: { fieldPath: 'metadata.uid' } }] } },
          ],
        },
      },
      {
        projected: {
          defaultMode: 420,
          sources: [
            { serviceAccountToken: { path: 't', expirationSeconds: 3600 } },
            {
              downwardAPI: {
                items: [{ path: 'x', fieldRef: { fieldPath: 'metadata.uid', apiVersion: 'v1' } }],
              },
            },
          ],
        },
      },
    ],
    [
      'of an image is pulled as one',
      { image: { reference: 'a:1' } },
      { image: { reference: 'a:1', pullPolicy: 'IfNotPresent' } },
    ],
    [
      'of a claim template is a file system',
      { ephemeral: { volumeClaimTemplate: { spec: {} } } },
      { ephemeral: { volumeClaimTemplate: { spec: { volumeMode: 'Filesystem' } } } },
    ],
    [
      'of another source stays as it is',
      { nfs: { server: 's', path: '/' } },
      { nfs: { server: 's', path: '/' } },
    ],
  ])('%s', (_, given, expected) => {
    const { volumes } = defaultPodSpec(spec({ volumes: [{ name: 'v', ...given }] }))
    expect(volumes).toEqual([{ name: 'v', ...expected }])
  })
})
