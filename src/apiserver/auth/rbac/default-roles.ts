/**
 * The cluster roles every Kubernetes 1.36 has, one line per rule:
 *
 *   VERBS GROUP RESOURCES [NAMES]     lists by comma; `core` is the group with no name
 *   VERBS url PATHS
 *
 * `read` is get, list, watch; `write` is create, delete, deletecollection, patch, update.
 */
export interface DefaultRole {
  readonly rules: readonly string[]
  /** The role whose rules this one's become a part of. */
  readonly aggregateTo?: string
  /** Rules come from the roles aggregated to this name. */
  readonly aggregates?: true
}

export const EVENTS = ['create,patch,update core events', 'create,patch,update events.k8s.io events']

export const defaultClusterRoles: Readonly<Record<string, DefaultRole>> = {
  'cluster-admin': { rules: ['* * *', '* url *'] },
  'system:discovery': {
    rules: [
      'get url /api,/api/*,/apis,/apis/*,/healthz,/livez,/openapi,/openapi/*,/readyz,/version,/version/',
    ],
  },
  'system:monitoring': {
    rules: ['get url /healthz,/healthz/*,/livez,/livez/*,/metrics,/metrics/slis,/readyz,/readyz/*'],
  },
  'system:basic-user': {
    rules: [
      'create authorization.k8s.io selfsubjectaccessreviews,selfsubjectrulesreviews',
      'create authentication.k8s.io selfsubjectreviews',
    ],
  },
  'system:public-info-viewer': { rules: ['get url /healthz,/livez,/readyz,/version,/version/'] },
  admin: { rules: [], aggregates: true },
  edit: { rules: [], aggregates: true, aggregateTo: 'admin' },
  view: { rules: [], aggregates: true, aggregateTo: 'edit' },
  'system:aggregate-to-admin': {
    aggregateTo: 'admin',
    rules: [
      'create authorization.k8s.io localsubjectaccessreviews',
      'read,write rbac.authorization.k8s.io roles,rolebindings',
    ],
  },
  'system:aggregate-to-edit': {
    aggregateTo: 'edit',
    rules: [
      'read core pods/attach,pods/proxy,pods/exec,pods/portforward,secrets,services/proxy',
      'impersonate core serviceaccounts',
      'write core pods,pods/attach,pods/proxy,pods/exec,pods/portforward',
      'create core pods/eviction',
      'write core replicationcontrollers,replicationcontrollers/scale,serviceaccounts,services,services/proxy,persistentvolumeclaims,configmaps,secrets,events',
      'create core serviceaccounts/token',
      'write apps statefulsets,statefulsets/scale,daemonsets,deployments,deployments/scale,deployments/rollback,replicasets,replicasets/scale',
      'write autoscaling horizontalpodautoscalers',
      'write batch jobs,cronjobs',
      'write extensions daemonsets,deployments,deployments/scale,deployments/rollback,ingresses,replicasets,replicasets/scale,replicationcontrollers/scale,networkpolicies',
      'write policy poddisruptionbudgets',
      'write networking.k8s.io networkpolicies,ingresses',
      'read,write coordination.k8s.io leases',
      'write resource.k8s.io resourceclaims,resourceclaimtemplates',
    ],
  },
  'system:aggregate-to-view': {
    aggregateTo: 'view',
    rules: [
      'read core pods,replicationcontrollers,replicationcontrollers/scale,serviceaccounts,services,services/status,endpoints,persistentvolumeclaims,persistentvolumeclaims/status,configmaps',
      'read core limitranges,resourcequotas,bindings,events,pods/status,resourcequotas/status,namespaces/status,replicationcontrollers/status,pods/log',
      'read core namespaces',
      'read discovery.k8s.io endpointslices',
      'read apps controllerrevisions,statefulsets,statefulsets/status,statefulsets/scale,daemonsets,daemonsets/status,deployments,deployments/status,deployments/scale,replicasets,replicasets/status,replicasets/scale',
      'read autoscaling horizontalpodautoscalers,horizontalpodautoscalers/status',
      'read batch jobs,cronjobs,cronjobs/status,jobs/status',
      'read extensions daemonsets,daemonsets/status,deployments,deployments/scale,deployments/status,ingresses,ingresses/status,replicasets,replicasets/scale,replicasets/status,replicationcontrollers/scale,networkpolicies',
      'read policy poddisruptionbudgets,poddisruptionbudgets/status',
      'read networking.k8s.io networkpolicies,ingresses,ingresses/status',
      'read resource.k8s.io resourceclaims,resourceclaims/status,resourceclaimtemplates',
    ],
  },
  'system:heapster': {
    rules: ['read core events,pods,nodes,namespaces,deployments', 'read extensions deployments'],
  },
  'system:node': {
    rules: [
      'create authentication.k8s.io tokenreviews',
      'create authorization.k8s.io localsubjectaccessreviews,subjectaccessreviews',
      'read core services',
      'create,get,list,watch core nodes',
      'patch,update core nodes/status',
      'patch,update core nodes',
      ...EVENTS,
      'read core pods',
      'create,delete core pods',
      'patch,update core pods/status',
      'create core pods/eviction',
      'read core configmaps,secrets',
      'get core persistentvolumeclaims,persistentvolumes',
      'get core endpoints',
      'create,get,list,watch certificates.k8s.io certificatesigningrequests',
      'create,delete,get,patch,update coordination.k8s.io leases',
      'get storage.k8s.io volumeattachments',
      'create core serviceaccounts/token',
      'get,patch,update core persistentvolumeclaims/status',
      'read storage.k8s.io csidrivers',
      'create,delete,get,patch,update storage.k8s.io csinodes',
      'read node.k8s.io runtimeclasses',
      'read,write resource.k8s.io resourceslices',
      'get resource.k8s.io resourceclaims',
    ],
  },
  'system:node-problem-detector': { rules: ['get core nodes', 'patch core nodes/status', ...EVENTS] },
  'system:kubelet-api-admin': {
    rules: [
      'read core nodes',
      'proxy core nodes',
      '* core nodes/proxy,nodes/configz,nodes/healthz,nodes/log,nodes/metrics,nodes/pods,nodes/spec,nodes/stats',
    ],
  },
  'system:node-bootstrapper': {
    rules: ['create,get,list,watch certificates.k8s.io certificatesigningrequests'],
  },
  'system:auth-delegator': {
    rules: ['create authentication.k8s.io tokenreviews', 'create authorization.k8s.io subjectaccessreviews'],
  },
  'system:kube-aggregator': { rules: ['read core endpoints,services'] },
  'system:kube-controller-manager': {
    rules: [
      ...EVENTS,
      'create coordination.k8s.io leases',
      'get,update coordination.k8s.io leases kube-controller-manager',
      'create core secrets,serviceaccounts',
      'delete core secrets',
      'get core configmaps,namespaces,secrets,serviceaccounts',
      'update core secrets,serviceaccounts',
      'create authentication.k8s.io tokenreviews',
      'create authorization.k8s.io subjectaccessreviews',
      'list,watch * *',
      'create core serviceaccounts/token',
    ],
  },
  'system:kube-dns': { rules: ['list,watch core endpoints,services'] },
  'system:kube-scheduler': {
    rules: [
      ...EVENTS,
      'create coordination.k8s.io leases',
      'get,list,update,watch coordination.k8s.io leases kube-scheduler',
      'create coordination.k8s.io leasecandidates',
      'read core nodes',
      'delete,get,list,watch core pods',
      'create core bindings,pods/binding',
      'patch,update core pods/status',
      'read core replicationcontrollers,services',
      'read apps,extensions replicasets',
      'read apps statefulsets',
      'read policy poddisruptionbudgets',
      'read core persistentvolumeclaims,persistentvolumes',
      'create authentication.k8s.io tokenreviews',
      'create authorization.k8s.io subjectaccessreviews',
      'read storage.k8s.io csinodes,csidrivers,csistoragecapacities',
      'read resource.k8s.io deviceclasses,resourceclaims,resourceslices',
      'patch,update resource.k8s.io resourceclaims,resourceclaims/status',
    ],
  },
  'system:volume-scheduler': {
    rules: [
      'get,list,patch,update,watch core persistentvolumes',
      'read storage.k8s.io storageclasses',
      'get,list,patch,update,watch core persistentvolumeclaims',
    ],
  },
  'system:persistent-volume-provisioner': {
    rules: [
      'create,delete,get,list,watch core persistentvolumes',
      'get,list,update,watch core persistentvolumeclaims',
      'read storage.k8s.io storageclasses',
      'watch core events',
      ...EVENTS,
    ],
  },
  'system:node-proxier': {
    rules: [
      'list,watch core endpoints,services',
      'read core nodes',
      ...EVENTS,
      'list,watch discovery.k8s.io endpointslices',
      'list,watch networking.k8s.io servicecidrs',
    ],
  },
  'system:certificates.k8s.io:certificatesigningrequests:nodeclient': {
    rules: ['create certificates.k8s.io certificatesigningrequests/nodeclient'],
  },
  'system:certificates.k8s.io:certificatesigningrequests:selfnodeclient': {
    rules: ['create certificates.k8s.io certificatesigningrequests/selfnodeclient'],
  },
  'system:certificates.k8s.io:kube-apiserver-client-approver': {
    rules: ['approve certificates.k8s.io signers kubernetes.io/kube-apiserver-client'],
  },
  'system:certificates.k8s.io:kube-apiserver-client-kubelet-approver': {
    rules: ['approve certificates.k8s.io signers kubernetes.io/kube-apiserver-client-kubelet'],
  },
  'system:certificates.k8s.io:kubelet-serving-approver': {
    rules: ['approve certificates.k8s.io signers kubernetes.io/kubelet-serving'],
  },
  'system:certificates.k8s.io:legacy-unknown-approver': {
    rules: ['approve certificates.k8s.io signers kubernetes.io/legacy-unknown'],
  },
  'system:service-account-issuer-discovery': {
    rules: [
      'get url /.well-known/openid-configuration,/.well-known/openid-configuration/,/openid/v1/jwks,/openid/v1/jwks/',
    ],
  },
}

/** Name of the cluster role, and who holds it: KIND NAME, or ServiceAccount NAMESPACE/NAME. */
export const defaultClusterRoleBindings: Readonly<Record<string, readonly string[]>> = {
  'cluster-admin': ['Group system:masters'],
  'system:monitoring': ['Group system:monitoring'],
  'system:discovery': ['Group system:authenticated'],
  'system:basic-user': ['Group system:authenticated'],
  'system:public-info-viewer': ['Group system:authenticated', 'Group system:unauthenticated'],
  'system:node': [],
  'system:node-proxier': ['User system:kube-proxy'],
  'system:kube-controller-manager': ['User system:kube-controller-manager'],
  'system:kube-dns': ['ServiceAccount kube-system/kube-dns'],
  'system:kube-scheduler': ['User system:kube-scheduler'],
  'system:volume-scheduler': ['User system:kube-scheduler'],
  'system:service-account-issuer-discovery': ['Group system:serviceaccounts'],
}

/** Roles of kube-system, each bound under its own name to those who hold it. */
export const kubeSystemRoles: Readonly<
  Record<string, { readonly rules: readonly string[]; readonly subjects: readonly string[] }>
> = {
  'extension-apiserver-authentication-reader': {
    rules: ['read core configmaps extension-apiserver-authentication'],
    subjects: ['User system:kube-controller-manager', 'User system:kube-scheduler'],
  },
  'system::leader-locking-kube-controller-manager': {
    rules: ['watch core configmaps', 'get,update core configmaps kube-controller-manager'],
    subjects: ['User system:kube-controller-manager', 'ServiceAccount kube-system/kube-controller-manager'],
  },
  'system::leader-locking-kube-scheduler': {
    rules: ['watch core configmaps', 'get,update core configmaps kube-scheduler'],
    subjects: ['User system:kube-scheduler', 'ServiceAccount kube-system/kube-scheduler'],
  },
}
