import { describe, expect, test } from 'vitest'
import type { V1PolicyRule } from '../../../api/generated/types.ts'
import { resourceAttributes } from '../attributes.ts'
import { readRule } from './default-objects.ts'
import { formatRule, ruleAllows, rulesNotHeld } from './rules.ts'

const jane = { name: 'jane', groups: [] }

/** "get apps deployments/scale web": verb, group, resource with its subresource, name. */
function ask(question: string) {
  const [verb = '', group = '', what = '', name = ''] = question.split(' ')
  if (group === 'url') return { type: 'path', user: jane, verb, path: what } as const
  const [resource = '', subresource = ''] = what.split('/')
  return resourceAttributes(jane, { verb, group: group === 'core' ? '' : group, resource, subresource, name })
}

describe('A rule', () => {
  test.each([
    ['get core pods', 'get core pods', true],
    ['get core pods', 'get core pods web', true],
    ['get core pods', 'list core pods', false],
    ['get core pods', 'get apps pods', false],
    ['get core pods', 'get core pods/log', false],
    ['get core pods/log', 'get core pods/log web', true],
    ['get core pods/log', 'get core pods web', false],
    ['get core */log', 'get core pods/log web', true],
    ['get core */log', 'get core pods/status web', false],
    ['get core */log', 'get core log', false],
    ['get core pods/*', 'get core pods/log', false],
    ['update * */scale', 'update apps deployments/scale web', true],
    ['update * */scale', 'update apps deployments web', false],
    ['* core pods', 'deletecollection core pods', true],
    ['get * pods', 'get metrics.k8s.io pods', true],
    ['get core *', 'get core pods/log', true],
    ['get core *', 'get core secrets', true],
    ['* * *', 'patch a.b c/d e', true],
    ['* * *', 'get url /metrics', false],
    ['get core configmaps a,b', 'get core configmaps b', true],
    ['get core configmaps a,b', 'get core configmaps c', false],
    ['list core configmaps a', 'list core configmaps', false],
    ['create core configmaps a', 'create core configmaps', false],
    ['get url /metrics', 'get url /metrics', true],
    ['get url /metrics', 'get url /metrics/', false],
    ['get url /healthz/*', 'get url /healthz/etcd', true],
    ['get url /healthz/*', 'get url /healthz', false],
    ['get url *', 'get url /anything', true],
    ['get url /metrics', 'post url /metrics', false],
    ['get url *', 'get core pods', false],
    ['read apps,extensions deployments', 'watch extensions deployments', true],
    ['read apps,extensions deployments', 'watch core deployments', false],
  ])('%s: %s is %s', (rule, question, allowed) => {
    expect(ruleAllows(readRule(rule), ask(question))).toBe(allowed)
  })

  test.each<[string, readonly string[], readonly string[], readonly string[]]>([
    ['nothing is wanted', ['get core pods'], [], []],
    ['everything is held', ['* * *'], ['get core pods', '* * */scale'], []],
    ['several rules make it up', ['get core pods', 'list core pods'], ['get,list core pods'], []],
    ['a verb is missing', ['get core pods'], ['get,list core pods'], ['list core pods']],
    ['a group is missing', ['get core pods'], ['get core,apps pods'], ['get apps pods']],
    ['a star is wanted and its parts are held', ['get,list core pods'], ['* core pods'], ['* core pods']],
    [
      'a resource does not hold its subresources',
      ['get core pods'],
      ['get core pods/log'],
      ['get core pods/log'],
    ],
    ['any subresource of the name is held', ['get core */log'], ['get core pods/log'], []],
    ['a name is held and any is wanted', ['get core secrets a'], ['get core secrets'], ['get core secrets']],
    ['any name is held and one is wanted', ['get core secrets'], ['get core secrets a'], []],
    ['a name is missing', ['get core secrets a'], ['get core secrets a,b'], ['get core secrets b']],
    ['a path below a held one is wanted', ['get url /healthz/*'], ['get url /healthz/etcd'], []],
    ['all paths are wanted', ['get url /healthz'], ['get url *'], ['get url *']],
    ['verbs on the same thing are missing', [], ['get core pods', 'list core pods'], ['get,list core pods']],
  ])('When %s, what is not held is said', (_, held, wanted, missing) => {
    expect(rulesNotHeld(held.map(readRule), wanted.map(readRule))).toEqual(missing.map(readRule))
  })

  test.each<[V1PolicyRule, string]>([
    [
      { apiGroups: ['', 'apps'], resources: ['pods'], verbs: ['get', 'list'] },
      '{APIGroups:["" "apps"], Resources:["pods"], Verbs:["get" "list"]}',
    ],
    [
      { apiGroups: [''], resources: ['pods'], resourceNames: ['a'], verbs: ['get'] },
      '{APIGroups:[""], Resources:["pods"], ResourceNames:["a"], Verbs:["get"]}',
    ],
    [{ nonResourceURLs: ['/x'], verbs: ['get'] }, '{NonResourceURLs:["/x"], Verbs:["get"]}'],
  ])('is shown as Kubernetes shows it', (rule, text) => {
    expect(formatRule(rule)).toBe(text)
  })
})
