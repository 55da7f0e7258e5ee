import type { AnyKind } from '../api/kind.ts'
import type { Cancel } from '../base/clock.ts'
import type { Env } from '../base/env.ts'
import type { Client } from '../client/client.ts'
import { EventRecorder } from '../client/events.ts'
import type { Informers } from '../client/informers.ts'
import { apiServerEndpointsLoop, type Listening } from './api-server-endpoints.ts'
import { clusterRoleAggregationController } from './clusterrole-aggregation.ts'
import type { Controller, Loop, ReconcileContext, Running } from './controller.ts'
import { cronJobController } from './cron-job.ts'
import { csrApprovingController } from './csr-approving.ts'
import { csrCleanerController } from './csr-cleaner.ts'
import { csrSigningController } from './csr-signing.ts'
import { daemonSetController } from './daemon-set.ts'
import { defaultStorageClassLoop } from './default-storage-class.ts'
import { deploymentController } from './deployment.ts'
import { deviceTaintEvictionController } from './device-taint-eviction.ts'
import { disruptionController } from './disruption.ts'
import { endpointSliceController } from './endpoint-slice.ts'
import { endpointSliceMirroringController } from './endpoint-slice-mirroring.ts'
import { endpointsController } from './endpoints.ts'
import { ephemeralVolumeController } from './ephemeral-volume.ts'
import { eventSourceOf } from './event-sources.ts'
import { eventTtlLoop } from './event-ttl.ts'
import { flowSchemaController } from './flow-schema.ts'
import { garbageCollectorLoop } from './garbage-collector.ts'
import { autoscalerController } from './hpa.ts'
import { ingressController } from './ingress.ts'
import { ingressClassController } from './ingress-class.ts'
import { ipAddressController } from './ip-address.ts'
import type { Issuing } from './issuing.ts'
import { jobController } from './job.ts'
import { legacyTokenCleanerLoop } from './legacy-token-cleaner.ts'
import { loadBalancerController } from './load-balancer.ts'
import { namespaceController } from './namespace.ts'
import { nodeIpamController } from './node-ipam.ts'
import { nodeLifecycleLoop } from './node-lifecycle.ts'
import { nodePoolController } from './node-pool.ts'
import { podGcLoop } from './pod-gc.ts'
import { PodNetworks } from './pod-networks.ts'
import { replicaSetController, replicationControllerController } from './replica-set.ts'
import { podClaimController, resourceClaimController } from './resource-claim.ts'
import { resourceQuotaController } from './resource-quota.ts'
import { rootCaPublisherController } from './root-ca-publisher.ts'
import { ControllerRunner } from './runner.ts'
import { serviceAccountController } from './service-account.ts'
import { serviceCidrController } from './service-cidr.ts'
import { staleDisruptionLoop } from './stale-disruption.ts'
import { statefulSetController } from './stateful-set.ts'
import { systemObjectsLoop } from './system-objects.ts'
import { taintEvictionController } from './taint-eviction.ts'
import { tokenSecretController } from './token-secret.ts'
import { ttlAfterFinishedController } from './ttl-after-finished.ts'
import { volumeAttributesController } from './volume-attributes.ts'
import { claimBinderController, volumeBinderController } from './volume-binder.ts'
import { volumeExpansionController } from './volume-expansion.ts'
import { claimProtectionController, volumeProtectionController } from './volume-protection.ts'

type Kinds = () => readonly AnyKind[]

/** One line per controller that works a key at a time. */
export function controllersOf(kinds: Kinds): readonly Controller[] {
  const networks = new PodNetworks()
  return [
    clusterRoleAggregationController,
    csrCleanerController,
    namespaceController(kinds),
    serviceAccountController,
    nodePoolController(networks),
    nodeIpamController(networks),
    deploymentController,
    replicaSetController,
    replicationControllerController,
    statefulSetController(),
    daemonSetController(),
    jobController(),
    ttlAfterFinishedController,
    cronJobController,
    endpointSliceController(),
    endpointSliceMirroringController,
    endpointsController(),
    loadBalancerController(),
    disruptionController(kinds),
    taintEvictionController,
    deviceTaintEvictionController,
    claimProtectionController,
    volumeProtectionController,
    claimBinderController(),
    volumeBinderController,
    volumeExpansionController,
    volumeAttributesController,
    ephemeralVolumeController,
    podClaimController,
    resourceClaimController,
    resourceQuotaController(kinds),
    flowSchemaController,
    ipAddressController(),
    ingressClassController,
    ingressController,
    serviceCidrController,
    autoscalerController(kinds),
  ]
}

/** One line per controller that gives out what only the owner of the keys can make. */
const issuingControllersOf = (issuing: Issuing): readonly Controller[] => [
  csrApprovingController(issuing),
  csrSigningController(issuing),
  rootCaPublisherController(issuing),
  tokenSecretController(issuing),
]

/** One line per controller that looks at everything. */
const loopsOf = ({
  kinds,
  onKinds,
  issuing,
  listening,
}: Omit<ControllerOptions, 'informers'>): readonly Loop[] => [
  systemObjectsLoop,
  defaultStorageClassLoop,
  garbageCollectorLoop(kinds, onKinds),
  nodeLifecycleLoop,
  podGcLoop,
  staleDisruptionLoop,
  eventTtlLoop,
  ...(issuing ? [legacyTokenCleanerLoop] : []),
  ...(listening ? [apiServerEndpointsLoop(listening)] : []),
]

export interface ControllerOptions {
  readonly informers: Informers
  /** All kinds the API serves now; read again as custom ones come and go. */
  readonly kinds: Kinds
  /** Tells when kinds come or go. */
  readonly onKinds?: ((listener: () => void) => Cancel) | undefined
  /** Absent where there are no users: nobody asks for certificates or tokens. */
  readonly issuing?: Issuing | undefined
  /** Where the API server is; absent where it is in this process only. */
  readonly listening?: Listening | undefined
}

/** Starts every controller. Returns at once and never throws: each waits for its own informers by itself. */
export function startControllers(env: Env, client: Client, options: ControllerOptions): Running {
  const recorders: EventRecorder[] = []
  const contextOf = (name: string): ReconcileContext => {
    const events = new EventRecorder(env, client, eventSourceOf(name))
    recorders.push(events)
    return { env, client, informers: options.informers, events }
  }
  const running: Running[] = loopsOf(options).map((loop) => loop.start(contextOf(loop.name)))
  const { kinds, issuing } = options
  for (const controller of [...controllersOf(kinds), ...(issuing ? issuingControllersOf(issuing) : [])]) {
    const runner = new ControllerRunner(contextOf(controller.name), controller)
    running.push(runner)
    void runner.start().catch((error: unknown) => {
      env.log.error({ err: error, controller: controller.name }, 'controller did not start')
    })
  }
  return {
    async stop() {
      await Promise.all(running.map((each) => each.stop()))
      await Promise.all(recorders.map((events) => events.flush()))
    },
  }
}
