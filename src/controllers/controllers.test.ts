import { expect, test } from 'vitest'
import { controllerContract, type Scenario } from '../../test/contracts/controller.ts'
import { make } from '../../test/support/make.ts'
import { findCondition } from '../api/conditions.ts'
import type { KindRef } from '../api/kind.ts'
import { certificateSigningRequest } from '../api/kinds/certificate-signing-request.ts'
import { clusterRole } from '../api/kinds/cluster-role.ts'
import { controllerRevision } from '../api/kinds/controller-revision.ts'
import { cronJob } from '../api/kinds/cron-job.ts'
import { daemonSet } from '../api/kinds/daemon-set.ts'
import { deployment } from '../api/kinds/deployment.ts'
import { endpointSlice } from '../api/kinds/endpoint-slice.ts'
import { endpoints } from '../api/kinds/endpoints.ts'
import { flowSchema } from '../api/kinds/flow-schema.ts'
import { horizontalPodAutoscaler } from '../api/kinds/horizontal-pod-autoscaler.ts'
import { kinds } from '../api/kinds/index.ts'
import { ingress } from '../api/kinds/ingress.ts'
import { ingressClass } from '../api/kinds/ingress-class.ts'
import { ipAddress } from '../api/kinds/ip-address.ts'
import { job } from '../api/kinds/job.ts'
import { namespace } from '../api/kinds/namespace.ts'
import { node } from '../api/kinds/node.ts'
import { nodePool } from '../api/kinds/node-pool.ts'
import { persistentVolume } from '../api/kinds/persistent-volume.ts'
import { persistentVolumeClaim } from '../api/kinds/persistent-volume-claim.ts'
import { pod } from '../api/kinds/pod.ts'
import { podDisruptionBudget } from '../api/kinds/pod-disruption-budget.ts'
import { type ReplicaSet, replicaSet } from '../api/kinds/replica-set.ts'
import { replicationController } from '../api/kinds/replication-controller.ts'
import { resourceClaim } from '../api/kinds/resource-claim.ts'
import { resourceClaimTemplate } from '../api/kinds/resource-claim-template.ts'
import { resourceQuota } from '../api/kinds/resource-quota.ts'
import { resourceSlice } from '../api/kinds/resource-slice.ts'
import { service } from '../api/kinds/service.ts'
import { serviceAccount } from '../api/kinds/service-account.ts'
import { serviceCidr } from '../api/kinds/service-cidr.ts'
import { statefulSet } from '../api/kinds/stateful-set.ts'
import { volumeAttributesClass } from '../api/kinds/volume-attributes-class.ts'
import { controllerReference } from '../api/resource.ts'
import type { Client } from '../client/client.ts'
import { controllersOf } from './index.ts'

const controllers = controllersOf(() => kinds)
const PODS = [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }]
const GPU = { namespace: 'default', name: 'gpu' }
const DATA = { namespace: 'default', name: 'data' }
const { example: claimExample } = persistentVolumeClaim
const CLAIM = { ...claimExample, metadata: DATA, spec: { ...claimExample.spec, storageClassName: 'fast' } }
const KUBE_SYSTEM = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'kube-system' }, spec: {} }
const SERVED_CLASS = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'IngressClass',
  metadata: { name: 'web' },
  spec: { controller: 'seamark.dev/ingress' },
}
const WEB = { namespace: 'default', name: 'web' }

async function runningPod(client: Client, name: string, ip: string): Promise<void> {
  const made = await client.create(pod, make.pod({ metadata: { name }, spec: { nodeName: 'node-a' } }))
  const status = {
    phase: 'Running',
    podIP: ip,
    podIPs: [{ ip }],
    conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2030-01-01T00:00:00Z' }],
  }
  await client.update(pod, { ...made, status }, { subresource: 'status' })
}

const webSet = (): ReplicaSet => {
  const { metadata, spec } = make.deployment()
  const { replicas, selector, template } = spec
  return { apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata, spec: { replicas, selector, template } }
}

const scenarios: Record<string, Omit<Scenario, 'controller'>> = {
  'clusterrole-aggregation': {
    async arrange(client) {
      const role = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole' }
      const clusterRoleSelectors = [{ matchLabels: { part: 'yes' } }]
      await client.create(clusterRole, {
        ...role,
        metadata: { name: 'whole' },
        aggregationRule: { clusterRoleSelectors },
      })
      await client.create(clusterRole, {
        ...role,
        metadata: { name: 'part', labels: { part: 'yes' } },
        rules: PODS,
      })
    },
    async check(client) {
      expect((await client.get(clusterRole, { name: 'whole' })).rules).toEqual(PODS)
    },
    remove: (client) => client.delete(clusterRole, { name: 'part' }),
  },
  'csr-cleaner': {
    async arrange(client) {
      const made = await client.create(certificateSigningRequest, certificateSigningRequest.example)
      const denied = { type: 'Denied', status: 'True', lastUpdateTime: '2000-01-01T00:00:00Z' }
      const status = { conditions: [denied] }
      await client.update(certificateSigningRequest, { ...made, status }, { subresource: 'approval' })
    },
    async check(client) {
      expect((await client.list(certificateSigningRequest)).items).toEqual([])
    },
    remove: async () => {},
  },
  deployment: {
    async arrange(client) {
      // Nobody makes pods here, so there is no progress to wait for.
      const spec = { progressDeadlineSeconds: 2 ** 31 - 1 }
      await client.create(deployment, make.deployment({ spec }))
    },
    async check(client) {
      expect((await client.list(replicaSet)).items).toHaveLength(1)
    },
    remove: (client) => client.delete(deployment, WEB),
  },
  replicaset: {
    async arrange(client) {
      await client.create(replicaSet, webSet())
      await client.create(pod, make.pod({ metadata: { name: 'adopted' } }))
    },
    async check(client) {
      const { items } = await client.list(pod)
      expect(items.map(({ metadata }) => metadata.ownerReferences?.[0]?.name)).toEqual(['web', 'web', 'web'])
    },
    remove: (client) => client.delete(replicaSet, WEB),
  },
  'pvc-protection': {
    async arrange(client) {
      for (const name of ['data', 'old']) {
        const { example } = persistentVolumeClaim
        await client.create(persistentVolumeClaim, { ...example, metadata: { ...example.metadata, name } })
      }
      const volumes = [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }]
      await client.create(pod, make.pod({ spec: { nodeName: 'node-a', volumes } }))
      for (const name of ['data', 'old']) await client.delete(persistentVolumeClaim, { ...WEB, name })
    },
    async check(client) {
      const { items } = await client.list(persistentVolumeClaim)
      expect(items.map(({ metadata }) => metadata.name)).toEqual(['data'])
    },
    remove: (client) => client.delete(pod, WEB),
  },
  resourcequota: {
    async arrange(client) {
      for (const name of ['a', 'b']) await client.create(pod, make.pod({ metadata: { name } }))
      const hard = { pods: '3', 'count/configmaps': '2' }
      await client.create(resourceQuota, { ...resourceQuota.example, spec: { hard } })
    },
    async check(client) {
      const { status } = await client.get(resourceQuota, { ...WEB, name: 'team' })
      expect(status).toEqual({
        hard: { pods: '3', 'count/configmaps': '2' },
        used: { pods: '2', 'count/configmaps': '0' },
      })
    },
    remove: (client) => client.delete(pod, { ...WEB, name: 'a' }),
  },
  'flow-schema': {
    async arrange(client) {
      await client.create(flowSchema, flowSchema.example)
    },
    async check(client) {
      const { status } = await client.get(flowSchema, { name: 'builds' })
      expect(status?.conditions).toMatchObject([{ type: 'Dangling', status: 'True', reason: 'NotFound' }])
    },
    remove: (client) => client.delete(flowSchema, { name: 'builds' }),
  },
  'service-cidr': {
    async arrange(client) {
      await client.create(serviceCidr, serviceCidr.example)
    },
    async check(client) {
      const { metadata, status } = await client.get(serviceCidr, { name: 'more' })
      expect(metadata.finalizers).toEqual(['networking.k8s.io/service-cidr-finalizer'])
      expect(status?.conditions).toMatchObject([{ type: 'Ready', status: 'True' }])
    },
    remove: (client) => client.delete(serviceCidr, { name: 'more' }),
  },
  'ip-address': {
    async arrange(client) {
      await client.create(service, make.service({ spec: { clusterIP: '10.96.0.10' } }))
    },
    async check(client) {
      const { spec } = await client.get(ipAddress, { name: '10.96.0.10' })
      expect(spec.parentRef).toMatchObject({ resource: 'services', namespace: 'default', name: 'web' })
    },
    remove: (client) => client.delete(service, WEB),
  },
  'persistentvolume-binder': {
    async arrange(client) {
      await client.create(persistentVolumeClaim, CLAIM)
    },
    async check(client) {
      const { status, spec } = await client.get(persistentVolumeClaim, DATA)
      expect(status?.phase).toBe('Bound')
      const { metadata } = await client.get(persistentVolume, { name: spec.volumeName ?? '' })
      expect(metadata.annotations).toMatchObject({
        'pv.kubernetes.io/provisioned-by': 'seamark.dev/hostpath',
      })
    },
    remove: (client) => client.delete(persistentVolumeClaim, DATA),
  },
  'persistentvolume-expander': {
    async arrange(client) {
      const provisioned = { 'pv.kubernetes.io/provisioned-by': 'seamark.dev/hostpath' }
      const metadata = { name: 'disk-0', annotations: provisioned }
      await client.create(persistentVolume, { ...persistentVolume.example, metadata })
      const requests = { storage: '3Gi' }
      const claim = { ...CLAIM, spec: { ...CLAIM.spec, volumeName: 'disk-0', resources: { requests } } }
      const created = await client.create(persistentVolumeClaim, claim)
      const status = { phase: 'Bound', capacity: { storage: '1Gi' } }
      await client.update(persistentVolumeClaim, { ...created, status }, { subresource: 'status' })
    },
    async check(client) {
      expect((await client.get(persistentVolumeClaim, DATA)).status?.capacity).toEqual({ storage: '3Gi' })
      const { spec } = await client.get(persistentVolume, { name: 'disk-0' })
      expect(spec.capacity).toEqual({ storage: '3Gi' })
    },
    remove: (client) => client.delete(persistentVolumeClaim, DATA),
  },
  'persistentvolume-phase': {
    async arrange(client) {
      await client.create(persistentVolume, { ...persistentVolume.example, metadata: { name: 'free' } })
    },
    async check(client) {
      expect((await client.get(persistentVolume, { name: 'free' })).status?.phase).toBe('Available')
    },
    remove: (client) => client.delete(persistentVolume, { name: 'free' }),
  },
  'pod-resource-claims': {
    async arrange(client) {
      await client.create(resourceClaimTemplate, {
        ...resourceClaimTemplate.example,
        metadata: { name: 'gpu', namespace: 'default' },
      })
      const resourceClaims = [{ name: 'gpu', resourceClaimTemplateName: 'gpu' }]
      await client.create(pod, make.pod({ spec: { resourceClaims } }))
    },
    async check(client) {
      const { status } = await client.get(pod, WEB)
      const name = status?.resourceClaimStatuses?.[0]?.resourceClaimName ?? ''
      expect(name).toMatch(/^web-gpu-/)
      await client.get(resourceClaim, { namespace: 'default', name })
    },
    remove: (client) => client.delete(pod, WEB),
  },
  'device-taint-eviction': {
    async arrange(client) {
      const taints = [{ key: 'broken', effect: 'NoExecute' }]
      await client.create(resourceSlice, {
        apiVersion: 'resource.k8s.io/v1',
        kind: 'ResourceSlice',
        metadata: { name: 'gpus' },
        spec: {
          driver: 'x.example',
          nodeName: 'node-a',
          pool: { name: 'a', generation: 1, resourceSliceCount: 1 },
          devices: [{ name: '0', taints }, { name: '1' }],
        },
      })
      for (const [name, device] of [
        ['web', '0'],
        ['fine', '1'],
      ] as const) {
        await runningPod(client, name, '10.0.0.7')
        const { metadata } = await client.get(pod, { namespace: 'default', name })
        const made = await client.create(resourceClaim, {
          ...resourceClaim.example,
          metadata: { ...GPU, name },
        })
        const reservedFor = [{ resource: 'pods', name, uid: metadata.uid ?? '' }]
        const allocation = {
          devices: { results: [{ request: 'gpu', driver: 'x.example', pool: 'a', device }] },
        }
        await client.update(
          resourceClaim,
          { ...made, status: { allocation, reservedFor } },
          { subresource: 'status' },
        )
      }
    },
    async check(client) {
      const { metadata, status } = await client.get(pod, WEB)
      expect(metadata.deletionTimestamp).toBeDefined()
      expect(findCondition(status?.conditions, 'DisruptionTarget')?.reason).toBe(
        'DeletionByDeviceTaintManager',
      )
      expect((await client.get(pod, { ...WEB, name: 'fine' })).metadata.deletionTimestamp).toBeUndefined()
    },
    remove: (client) => client.delete(resourceClaim, { ...GPU, name: 'web' }),
  },
  'resource-claim': {
    async arrange(client) {
      const made = await client.create(resourceClaim, { ...resourceClaim.example, metadata: GPU })
      const allocation = {
        devices: { results: [{ request: 'gpu', driver: 'x.example', pool: 'a', device: '0' }] },
      }
      const reservedFor = [{ resource: 'pods', name: 'gone', uid: 'gone' }]
      await client.update(
        resourceClaim,
        { ...made, status: { allocation, reservedFor } },
        { subresource: 'status' },
      )
      await runningPod(client, 'user', '10.0.0.7')
      const { metadata: user } = await client.get(pod, { namespace: 'default', name: 'user' })
      const used = await client.create(resourceClaim, {
        ...resourceClaim.example,
        metadata: { ...GPU, name: 'used' },
      })
      const usedBy = [{ resource: 'pods', name: 'user', uid: user.uid ?? '' }]
      await client.update(
        resourceClaim,
        { ...used, status: { allocation, reservedFor: usedBy } },
        { subresource: 'status' },
      )
      const over = await client.create(pod, make.pod({ metadata: { name: 'over' } }))
      await client.update(pod, { ...over, status: { phase: 'Succeeded' } }, { subresource: 'status' })
      const ownerReferences = [controllerReference(over)]
      await client.create(resourceClaim, {
        ...resourceClaim.example,
        metadata: { ...GPU, name: 'done', ownerReferences },
      })
    },
    async check(client) {
      const { status } = await client.get(resourceClaim, GPU)
      expect(status?.allocation).toBeUndefined()
      expect(status?.reservedFor ?? []).toEqual([])
      const used = { namespace: 'default', name: 'used' }
      expect((await client.get(resourceClaim, used)).metadata.finalizers).toEqual([
        'resource.kubernetes.io/delete-protection',
      ])
      await expect(client.get(resourceClaim, { ...used, name: 'done' })).rejects.toThrow('not found')
    },
    remove: (client) => client.delete(resourceClaim, GPU),
  },
  'volume-modifier': {
    async arrange(client) {
      await client.create(volumeAttributesClass, {
        ...volumeAttributesClass.example,
        metadata: { name: 'gold' },
      })
      const { example } = persistentVolume
      await client.create(persistentVolume, { ...example, metadata: { name: 'v' } })
      for (const [name, wanted] of [
        ['data', 'gold'],
        ['other', 'none'],
      ]) {
        const spec = { ...CLAIM.spec, volumeName: 'v', volumeAttributesClassName: wanted }
        const made = await client.create(persistentVolumeClaim, {
          ...CLAIM,
          metadata: { ...DATA, name: name ?? '' },
          spec,
        })
        const status = { phase: 'Bound', capacity: { storage: '1Gi' } }
        await client.update(persistentVolumeClaim, { ...made, status }, { subresource: 'status' })
      }
    },
    async check(client) {
      const { status } = await client.get(persistentVolumeClaim, DATA)
      expect(status?.currentVolumeAttributesClassName).toBe('gold')
      const { spec } = await client.get(persistentVolume, { name: 'v' })
      expect(spec.volumeAttributesClassName).toBe('gold')
      const waiting = await client.get(persistentVolumeClaim, { ...DATA, name: 'other' })
      expect(waiting.status?.modifyVolumeStatus).toEqual({
        targetVolumeAttributesClassName: 'none',
        status: 'Pending',
      })
    },
    remove: (client) => client.delete(persistentVolumeClaim, DATA),
  },
  'ephemeral-volume': {
    async arrange(client) {
      const volumeClaimTemplate = { spec: CLAIM.spec }
      await client.create(
        pod,
        make.pod({ spec: { volumes: [{ name: 'data', ephemeral: { volumeClaimTemplate } }] } }),
      )
    },
    async check(client) {
      const { metadata } = await client.get(persistentVolumeClaim, { namespace: 'default', name: 'web-data' })
      expect(metadata.ownerReferences).toMatchObject([{ kind: 'Pod', name: 'web', controller: true }])
    },
    remove: (client) => client.delete(pod, WEB),
  },
  'pv-protection': {
    async arrange(client) {
      for (const name of ['bound', 'free']) {
        const made = await client.create(persistentVolume, {
          ...persistentVolume.example,
          metadata: { name },
        })
        const status = { phase: name === 'bound' ? 'Bound' : 'Available' }
        await client.update(persistentVolume, { ...made, status }, { subresource: 'status' })
        await client.delete(persistentVolume, { name })
      }
    },
    async check(client) {
      const { items } = await client.list(persistentVolume)
      expect(items.map(({ metadata }) => metadata.name)).toEqual(['bound'])
    },
    remove: (client) =>
      client.patch(
        persistentVolume,
        { name: 'bound' },
        'merge',
        { status: { phase: 'Released' } },
        { subresource: 'status' },
      ),
  },
  'service-lb': {
    async arrange(client) {
      await client.create(service, make.service({ spec: { type: 'LoadBalancer' } }))
    },
    async check(client) {
      const { status } = await client.get(service, WEB)
      expect(status?.loadBalancer?.ingress).toEqual([{ ip: '192.0.2.1', ipMode: 'VIP' }])
    },
    remove: (client) => client.delete(service, WEB),
  },
  'horizontal-pod-autoscaler': {
    async arrange(client) {
      await client.create(deployment, make.deployment({ spec: { replicas: 0 } }))
      await client.create(horizontalPodAutoscaler, { ...horizontalPodAutoscaler.example, metadata: WEB })
    },
    async check(client) {
      const { status } = await client.get(horizontalPodAutoscaler, WEB)
      expect(status?.conditions?.map(({ type, status: is, reason }) => [type, is, reason])).toEqual([
        ['AbleToScale', 'True', 'SucceededGetScale'],
        ['ScalingActive', 'False', 'ScalingDisabled'],
      ])
    },
    remove: (client) => client.delete(horizontalPodAutoscaler, WEB),
  },
  replicationcontroller: {
    async arrange(client) {
      const { spec } = webSet()
      await client.create(replicationController, {
        apiVersion: 'v1',
        kind: 'ReplicationController',
        metadata: { name: 'web', namespace: 'default' },
        spec: { replicas: 2, template: spec.template },
      })
    },
    async check(client) {
      const { items } = await client.list(pod)
      expect(items.map(({ metadata }) => metadata.ownerReferences?.[0]?.kind)).toEqual([
        'ReplicationController',
        'ReplicationController',
      ])
      const { status } = await client.get(replicationController, WEB)
      expect(status).toMatchObject({ replicas: 2, observedGeneration: 1 })
    },
    remove: (client) => client.delete(replicationController, WEB, { propagationPolicy: 'Background' }),
  },
  statefulset: {
    async arrange(client) {
      await client.create(statefulSet, {
        ...statefulSet.example,
        metadata: { name: 'web', namespace: 'default' },
        spec: {
          ...statefulSet.example.spec,
          replicas: 2,
          podManagementPolicy: 'Parallel',
          volumeClaimTemplates: [
            {
              apiVersion: 'v1',
              kind: 'PersistentVolumeClaim',
              metadata: { name: 'data' },
              spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
            },
          ],
        },
      })
    },
    async check(client) {
      const names = async (kind: KindRef) =>
        (await client.list(kind)).items.map(({ metadata }) => metadata.name)
      expect(await names(pod)).toEqual(['web-0', 'web-1'])
      expect(await names(persistentVolumeClaim)).toEqual(['data-web-0', 'data-web-1'])
      expect(await names(controllerRevision)).toHaveLength(1)
    },
    remove: (client) => client.delete(statefulSet, WEB),
  },
  daemonset: {
    async arrange(client) {
      for (const name of ['node-a', 'node-b']) await client.create(node, make.node({ metadata: { name } }))
      await client.create(daemonSet, {
        ...daemonSet.example,
        metadata: { name: 'web', namespace: 'default' },
      })
    },
    async check(client) {
      expect((await client.list(pod)).items).toHaveLength(2)
      expect((await client.get(daemonSet, WEB)).status).toMatchObject({ desiredNumberScheduled: 2 })
    },
    remove: (client) => client.delete(daemonSet, WEB),
  },
  job: {
    async arrange(client) {
      await client.create(job, {
        ...job.example,
        metadata: { name: 'web', namespace: 'default' },
        spec: { ...job.example.spec, completions: 3, parallelism: 2 },
      })
    },
    async check(client) {
      expect((await client.list(pod)).items).toHaveLength(2)
      expect((await client.get(job, WEB)).status).toMatchObject({ active: 2 })
    },
    remove: (client) => client.delete(job, WEB, { propagationPolicy: 'Background' }),
  },
  'ttl-after-finished': {
    async arrange(client) {
      const made = await client.create(job, {
        ...job.example,
        metadata: { name: 'web', namespace: 'default' },
        spec: { ...job.example.spec, ttlSecondsAfterFinished: 2 },
      })
      const at = made.metadata.creationTimestamp
      const conditions = [{ type: 'Complete', status: 'True', lastTransitionTime: at }]
      await client.update(job, { ...made, status: { conditions } }, { subresource: 'status' })
    },
    async check(client) {
      const left = await client.list(job)
      expect(left.items.filter(({ metadata }) => !metadata.deletionTimestamp)).toEqual([])
    },
    remove: (client) => client.delete(job, WEB).catch(() => {}),
  },
  cronjob: {
    async arrange(client) {
      await client.create(cronJob, {
        ...cronJob.example,
        metadata: { name: 'web', namespace: 'default' },
        // Once, and then not for as long as anybody looks.
        spec: { ...cronJob.example.spec, schedule: '@every 1s', startingDeadlineSeconds: 100 },
      })
      const found = await client.get(cronJob, WEB)
      await client.update(cronJob, {
        ...found,
        spec: { ...found.spec, suspend: true, failedJobsHistoryLimit: 0 },
      })
      const owner = {
        apiVersion: 'batch/v1',
        kind: 'CronJob',
        name: 'web',
        uid: found.metadata.uid ?? '',
        controller: true,
      }
      const made = await client.create(job, {
        ...job.example,
        metadata: { name: 'web-1', namespace: 'default', ownerReferences: [owner] },
      })
      const conditions = [
        { type: 'Failed', status: 'True', lastTransitionTime: made.metadata.creationTimestamp },
      ]
      await client.update(job, { ...made, status: { conditions } }, { subresource: 'status' })
    },
    async check(client) {
      expect((await client.list(job)).items).toEqual([])
    },
    remove: (client) => client.delete(cronJob, WEB),
  },
  endpointslice: {
    async arrange(client) {
      await client.create(node, make.node())
      await runningPod(client, 'a', '10.244.0.1')
      await runningPod(client, 'b', '10.244.0.2')
      await client.create(service, make.service())
    },
    async check(client) {
      const { items } = await client.list(endpointSlice)
      expect(items.map(({ endpoints: held = [] }) => held.map(({ addresses }) => addresses[0]))).toEqual([
        ['10.244.0.1', '10.244.0.2'],
      ])
    },
    remove: (client) => client.delete(service, WEB),
  },
  endpointslicemirroring: {
    async arrange(client) {
      const { selector: _, ...spec } = make.service().spec
      await client.create(service, { ...make.service(), spec })
      await client.create(endpoints, endpoints.example)
    },
    async check(client) {
      const { items } = await client.list(endpointSlice)
      expect(items.map(({ endpoints: held = [] }) => held.map(({ addresses }) => addresses[0]))).toEqual([
        ['10.244.0.5'],
      ])
    },
    remove: (client) => client.delete(endpoints, WEB),
  },
  endpoint: {
    async arrange(client) {
      await runningPod(client, 'a', '10.244.0.1')
      await client.create(service, make.service())
    },
    async check(client) {
      const { subsets } = await client.get(endpoints, WEB)
      expect(subsets?.[0]?.addresses?.map(({ ip }) => ip)).toEqual(['10.244.0.1'])
    },
    remove: (client) => client.delete(service, WEB),
  },
  namespace: {
    async arrange(client) {
      await client.create(namespace, {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: 'shop' },
        spec: {},
      })
      await client.create(pod, make.pod({ metadata: { namespace: 'shop' } }))
      await client.create(service, make.service({ metadata: { namespace: 'shop' } }))
      await client.delete(namespace, { name: 'shop' })
    },
    async check(client) {
      const { items } = await client.list(namespace)
      expect(items.map(({ metadata }) => metadata.name)).toEqual(['default'])
      expect((await client.list(service)).items).toEqual([])
    },
    remove: (client) => client.delete(namespace, { name: 'default' }).catch(() => undefined),
  },
  serviceaccount: {
    async arrange() {},
    async check(client) {
      await client.get(serviceAccount, { namespace: 'default', name: 'default' })
    },
    remove: (client) => client.delete(serviceAccount, { namespace: 'default', name: 'default' }),
  },
  'node-pool': {
    async arrange(client) {
      const metadata = { name: 'worker' }
      await client.create(nodePool, {
        apiVersion: 'seamark.dev/v1alpha1',
        kind: 'NodePool',
        metadata,
        spec: { count: 2 },
      })
    },
    async check(client) {
      const { items } = await client.list(node)
      expect(
        items.map(({ metadata, spec, status }) => [metadata.name, spec.podCIDR, status?.capacity?.['cpu']]),
      ).toEqual([
        ['worker-0', '10.244.0.0/24', '4'],
        ['worker-1', '10.244.1.0/24', '4'],
      ])
    },
    remove: (client) => client.delete(nodePool, { name: 'worker' }),
  },
  'ingress-class': {
    async arrange(client) {
      await client.create(namespace, KUBE_SYSTEM)
      await client.create(ingressClass, SERVED_CLASS)
    },
    async check(client) {
      const { items } = await client.list(service, { namespace: 'kube-system' })
      expect(items.map(({ spec }) => spec.type)).toEqual(['LoadBalancer'])
    },
    remove: (client) => client.delete(ingressClass, { name: 'web' }),
  },
  ingress: {
    async arrange(client) {
      await client.create(namespace, KUBE_SYSTEM)
      const made = await client.create(ingressClass, SERVED_CLASS)
      const ownerReferences = [controllerReference(made)]
      const entrance = await client.create(
        service,
        make.service({
          metadata: { namespace: 'kube-system', ownerReferences },
          spec: { type: 'LoadBalancer' },
        }),
      )
      const status = { loadBalancer: { ingress: [{ ip: '192.0.2.7' }] } }
      await client.update(service, { ...entrance, status }, { subresource: 'status' })
      const { example } = ingress
      await client.create(ingress, {
        ...example,
        metadata: WEB,
        spec: { ...example.spec, ingressClassName: 'web' },
      })
    },
    async check(client) {
      const { status } = await client.get(ingress, WEB)
      expect(status?.loadBalancer?.ingress).toEqual([{ ip: '192.0.2.7' }])
    },
    remove: (client) => client.delete(ingress, WEB),
  },
  'node-ipam': {
    async arrange(client) {
      await client.create(node, make.node())
    },
    async check(client) {
      expect((await client.get(node, { name: 'node-a' })).spec.podCIDR).toMatch(/^10\.244\.\d+\.0\/24$/)
    },
    remove: (client) => client.delete(node, { name: 'node-a' }),
  },
  disruption: {
    async arrange(client) {
      await runningPod(client, 'a', '10.244.0.1')
      await runningPod(client, 'b', '10.244.0.2')
      const spec = { minAvailable: 1, selector: { matchLabels: { app: 'web' } } }
      const metadata = { ...WEB }
      await client.create(podDisruptionBudget, {
        apiVersion: 'policy/v1',
        kind: 'PodDisruptionBudget',
        metadata,
        spec,
      })
    },
    async check(client) {
      expect((await client.get(podDisruptionBudget, WEB)).status).toMatchObject({
        expectedPods: 2,
        currentHealthy: 2,
        disruptionsAllowed: 1,
      })
    },
    remove: (client) => client.delete(podDisruptionBudget, WEB),
  },
  'taint-eviction': {
    async arrange(client) {
      const taints = [{ key: 'broken', effect: 'NoExecute' }]
      await client.create(node, make.node({ spec: { taints } }))
      await runningPod(client, 'a', '10.244.0.1')
    },
    async check(client) {
      const { metadata } = await client.get(pod, { namespace: 'default', name: 'a' })
      expect(metadata.deletionTimestamp).toBeDefined()
    },
    remove: (client) => client.delete(node, { name: 'node-a' }),
  },
}

test('Every controller has a scenario', () => {
  expect(Object.keys(scenarios).toSorted()).toEqual(controllers.map(({ name }) => name).toSorted())
})

for (const controller of controllers) {
  const scenario = scenarios[controller.name]
  if (scenario) controllerContract({ controller, ...scenario })
}
