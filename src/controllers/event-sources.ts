/** Whom events say they are from, where kube-controller-manager's names are not NAME-controller: `kubectl describe` shows them. */
const SOURCES: Readonly<Record<string, string>> = {
  disruption: 'controllermanager',
  endpointslice: 'endpoint-slice-controller',
  endpointslicemirroring: 'endpoint-slice-mirroring-controller',
  'ephemeral-volume': 'ephemeral_volume',
  'horizontal-pod-autoscaler': 'horizontal-pod-autoscaler',
  'ip-address': 'ipallocator-repair-controller',
  'node-ipam': 'cidrAllocator',
  'node-lifecycle': 'node-controller',
  'persistentvolume-binder': 'persistentvolume-controller',
  'persistentvolume-expander': 'external-resizer',
  'persistentvolume-phase': 'persistentvolume-controller',
  'pod-resource-claims': 'resource_claim',
  replicationcontroller: 'replication-controller',
  'resource-claim': 'resource_claim',
  'service-lb': 'service-controller',
  'volume-modifier': 'external-resizer',
}

/** By the name of a controller. */
export function eventSourceOf(name: string): string {
  return SOURCES[name] ?? `${name}-controller`
}
