import { expect, test } from 'vitest'
import { make } from '../../test/support/make.ts'
import type { Service } from '../api/kinds/service.ts'
import { balancerNews } from './load-balancer-news.ts'

type Spec = Partial<Service['spec']>
const balanced = (spec: Spec) => {
  const { spec: base, ...rest } = make.service()
  return { ...rest, spec: { ...base, type: 'LoadBalancer', ...spec } }
}

test.each<[string, Spec, Spec, boolean, [string, string][]]>([
  ['nothing', {}, { selector: { app: 'api' } }, false, []],
  ['other ports, without a word', {}, { ports: [{ port: 443 }] }, true, []],
  ['another type', { type: 'NodePort' }, {}, true, [['Type', 'NodePort -> LoadBalancer']]],
  [
    'who may come',
    { loadBalancerSourceRanges: ['10.0.0.0/8'] },
    { loadBalancerSourceRanges: ['10.0.0.0/8', '192.0.2.0/24'] },
    true,
    [['LoadBalancerSourceRanges', '[10.0.0.0/8] -> [10.0.0.0/8 192.0.2.0/24]']],
  ],
  [
    'where it stays',
    { externalTrafficPolicy: 'Cluster' },
    { externalTrafficPolicy: 'Local', healthCheckNodePort: 30_100 },
    true,
    [
      ['ExternalTrafficPolicy', 'Cluster -> Local'],
      ['HealthCheckNodePort', '0 -> 30100'],
    ],
  ],
  ['one more address', {}, { externalIPs: ['192.0.2.9'] }, true, [['ExternalIP', 'Count: 0 -> 1']]],
  [
    'another address',
    { externalIPs: ['192.0.2.8'] },
    { externalIPs: ['192.0.2.9'] },
    true,
    [['ExternalIP', 'Added: 192.0.2.9']],
  ],
])('A load balancer is told of %s', (_, old, now, isNeeded, events) => {
  expect(balancerNews(balanced(old), balanced(now))).toEqual({ isNeeded, events })
})
