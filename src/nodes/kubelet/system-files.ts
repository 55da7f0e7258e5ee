import type { Pod } from '../../api/kinds/pod.ts'

const CLUSTER_DOMAIN = 'cluster.local'
/** Where a cluster's DNS is by custom: the tenth address of the default range of Services. */
const CLUSTER_DNS = '10.0.0.10'
const HOSTNAME_MAX = 63

/** The host name of a pod (kubelet_pods.go GeneratePodHostNameAndDomain). Pure. */
export function hostnameOf({ metadata, spec }: Pod): string {
  if (spec.hostnameOverride) return spec.hostnameOverride
  if (spec.hostNetwork && spec.nodeName) return spec.nodeName
  const name = shortNameOf(spec.hostname || metadata.name)
  const domain = domainOf({ metadata, spec })
  return spec.setHostnameAsFQDN && domain !== undefined ? `${name}.${domain}` : name
}

/** What a kubelet puts into /etc of a container. Pure. */
export function systemFilesOf(pod: Pod, podIP: string): Readonly<Record<string, string>> {
  return {
    '/etc/hostname': `${hostnameOf(pod)}\n`,
    '/etc/hosts': hostsOf(pod, podIP),
    '/etc/resolv.conf': resolverOf(pod),
  }
}

function shortNameOf(name: string): string {
  return name.slice(0, HOSTNAME_MAX).replace(/[-.]+$/, '')
}

/** Of a pod with a subdomain. */
function domainOf({ metadata, spec }: Pick<Pod, 'metadata' | 'spec'>): string | undefined {
  return spec.subdomain ? `${spec.subdomain}.${metadata.namespace}.svc.${CLUSTER_DOMAIN}` : undefined
}

function hostsOf(pod: Pod, podIP: string): string {
  const { spec } = pod
  const short = shortNameOf(spec.hostname || pod.metadata.name)
  const domain = domainOf(pod)
  const own = domain === undefined ? [podIP, hostnameOf(pod)] : [podIP, `${short}.${domain}`, short]
  const lines = spec.hostNetwork
    ? ['# Kubernetes-managed hosts file (host network).', '127.0.0.1\tlocalhost']
    : [
        '# Kubernetes-managed hosts file.',
        '127.0.0.1\tlocalhost',
        '::1\tlocalhost ip6-localhost ip6-loopback',
        'fe00::0\tip6-localnet',
        'fe00::0\tip6-mcastprefix',
        'fe00::1\tip6-allnodes',
        'fe00::2\tip6-allrouters',
        own.join('\t'),
      ]
  const aliases = (spec.hostAliases ?? []).map(({ ip, hostnames = [] }) => [ip, ...hostnames].join('\t'))
  const added = aliases.length > 0 ? ['', '# Entries added by HostAliases.', ...aliases] : []
  return `${[...lines, ...added].join('\n')}\n`
}

/** The cluster's DNS where the policy says so; what the pod adds comes after it. */
function resolverOf({ metadata, spec }: Pod): string {
  const { dnsPolicy = 'ClusterFirst', dnsConfig = {} } = spec
  const isCluster =
    dnsPolicy === 'ClusterFirstWithHostNet' || (dnsPolicy === 'ClusterFirst' && !spec.hostNetwork)
  const service = `svc.${CLUSTER_DOMAIN}`
  const searches = isCluster ? [`${metadata.namespace}.${service}`, service, CLUSTER_DOMAIN] : []
  const options = new Map<string, string | undefined>(isCluster ? [['ndots', '5']] : [])
  for (const { name = '', value } of dnsConfig.options ?? []) options.set(name, value)
  const all = [...new Set([...searches, ...(dnsConfig.searches ?? [])])]
  const servers = [...(isCluster ? [CLUSTER_DNS] : []), ...(dnsConfig.nameservers ?? [])]
  const texts = [...options].map(([name, value]) => (value ? `${name}:${value}` : name))
  return [
    ...(all.length > 0 ? [`search ${all.join(' ')}`] : []),
    ...servers.map((server) => `nameserver ${server}`),
    ...(texts.length > 0 ? [`options ${texts.join(' ')}`] : []),
    '',
  ].join('\n')
}
