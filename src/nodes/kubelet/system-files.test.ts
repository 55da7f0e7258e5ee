import { describe, expect, test } from 'vitest'
import { make } from '../../../test/support/make.ts'
import type { V1PodSpec } from '../../api/generated/types.ts'
import { hostnameOf, systemFilesOf } from './system-files.ts'

const pod = (spec: Partial<V1PodSpec> = {}, name = 'web') =>
  make.pod({ metadata: { name, namespace: 'shop' }, spec: spec as never })

describe('The host name of a pod is', () => {
  test.each([
    ['its name', pod(), 'web'],
    ['what it says', pod({ hostname: 'db' }), 'db'],
    ['its name, cut', pod({}, `${'a'.repeat(62)}-bcd`), 'a'.repeat(62)],
    ['its node on the network of that', pod({ hostNetwork: true, nodeName: 'node-a' }), 'node-a'],
    ['short with a subdomain', pod({ subdomain: 'nodes' }), 'web'],
    [
      'the whole of it where that is asked for',
      pod({ subdomain: 'nodes', setHostnameAsFQDN: true }),
      'web.nodes.shop.svc.cluster.local',
    ],
    ['what overrides it', pod({ hostnameOverride: 'any.example' }), 'any.example'],
  ])('%s', (_, one, name) => expect(hostnameOf(one)).toBe(name))
})

describe('In /etc of a container is', () => {
  const hosts = (spec: Partial<V1PodSpec>) => systemFilesOf(pod(spec), '10.2.0.7')['/etc/hosts']
  const resolver = (spec: Partial<V1PodSpec>) => systemFilesOf(pod(spec), '10.2.0.7')['/etc/resolv.conf']

  test('its own address, by its whole name where it has a subdomain, and its aliases', () => {
    expect(hosts({})).toMatch(
      /^# Kubernetes-managed hosts file\.\n127\.0\.0\.1\tlocalhost\n[\s\S]*\n10\.2\.0\.7\tweb\n$/,
    )
    const hostAliases = [{ ip: '1.2.3.4', hostnames: ['foo.local', 'bar.local'] }]
    expect(hosts({ subdomain: 'nodes', hostAliases })).toMatch(
      /\n10\.2\.0\.7\tweb\.nodes\.shop\.svc\.cluster\.local\tweb\n\n# Entries added by HostAliases\.\n1\.2\.3\.4\tfoo\.local\tbar\.local\n$/,
    )
  })

  test.each<[string, Partial<V1PodSpec>, string]>([
    [
      'where names are looked for in the cluster',
      {},
      'search shop.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.0.0.10\noptions ndots:5\n',
    ],
    [
      'that with what the pod adds',
      {
        dnsConfig: {
          nameservers: ['1.1.1.1'],
          searches: ['example.com'],
          options: [{ name: 'ndots', value: '2' }, { name: 'edns0' }],
        },
      },
      'search shop.svc.cluster.local svc.cluster.local cluster.local example.com\nnameserver 10.0.0.10\nnameserver 1.1.1.1\noptions ndots:2 edns0\n',
    ],
    [
      'only what the pod says',
      { dnsPolicy: 'None', dnsConfig: { nameservers: ['1.1.1.1'] } },
      'nameserver 1.1.1.1\n',
    ],
    ['nothing of the cluster on the network of the node', { hostNetwork: true }, ''],
  ])('%s', (_, spec, text) => expect(resolver(spec)).toBe(text))
})
