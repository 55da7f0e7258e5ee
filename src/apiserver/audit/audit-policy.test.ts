import { describe, expect, test } from 'vitest'
import { resourceAttributes } from '../auth/attributes.ts'
import { decideAudit, readAuditPolicy } from './audit-policy.ts'

const policy = (rules: readonly object[], more: object = {}) =>
  readAuditPolicy(JSON.stringify({ apiVersion: 'audit.k8s.io/v1', kind: 'Policy', rules, ...more }), 'p.yaml')
const jane = { name: 'jane', groups: ['dev'] }
const getPod = resourceAttributes(jane, {
  verb: 'get',
  resource: 'pods',
  subresource: 'log',
  namespace: 'a',
  name: 'web',
})
const metrics = { type: 'path', user: jane, verb: 'get', path: '/metrics/slis' } as const

describe('An audit policy', () => {
  test.each([
    ['of anything', {}, true, true],
    ['of the user', { users: ['jane'] }, true, true],
    ['of another user', { users: ['bob'] }, false, false],
    ['of a group', { userGroups: ['dev'] }, true, true],
    ['of another verb', { verbs: ['list'] }, false, false],
    ['of the namespace', { namespaces: ['a'] }, true, false],
    ['of another namespace', { namespaces: ['b'] }, false, false],
    ['of the whole group', { resources: [{ group: '' }] }, true, false],
    ['of another group', { resources: [{ group: 'apps' }] }, false, false],
    [
      'of the resource without its subresources',
      { resources: [{ group: '', resources: ['pods'] }] },
      false,
      false,
    ],
    ['of the subresource', { resources: [{ group: '', resources: ['pods/log'] }] }, true, false],
    ['of all its subresources', { resources: [{ group: '', resources: ['pods/*'] }] }, true, false],
    ['of the subresource of anything', { resources: [{ group: '', resources: ['*/log'] }] }, true, false],
    ['of the name', { resources: [{ group: '', resourceNames: ['web'] }] }, true, false],
    ['of another name', { resources: [{ group: '', resourceNames: ['db'] }] }, false, false],
    ['of a path', { nonResourceURLs: ['/metrics*'] }, false, true],
    ['of another path', { nonResourceURLs: ['/metrics'] }, false, false],
  ])('with a rule %s', (_, rule, fitsPod, fitsPath) => {
    const { rules, ...rest } = policy([{ level: 'Metadata', ...rule }])
    const level = (attributes: Parameters<typeof decideAudit>[1]) =>
      decideAudit({ rules, ...rest }, attributes).level
    expect([level(getPod), level(metrics)]).toEqual(
      [fitsPod, fitsPath].map((fits) => (fits ? 'Metadata' : 'None')),
    )
  })

  test('decides by the first rule that fits', () => {
    const rules = [{ level: 'None', users: ['jane'] }, { level: 'RequestResponse' }]
    expect(decideAudit(policy(rules), getPod).level).toBe('None')
  })

  test.each([
    [{ resource: 'secrets' }, 'Metadata'],
    [{ resource: 'serviceaccounts', subresource: 'token' }, 'Metadata'],
    [{ resource: 'tokenreviews', group: 'authentication.k8s.io' }, 'Metadata'],
    [{ resource: 'configmaps' }, 'RequestResponse'],
  ])('of everything writes of %j no more than %s', (asked, level) => {
    expect(decideAudit(policy([{ level: 'RequestResponse' }]), resourceAttributes(jane, asked)).level).toBe(
      level,
    )
  })

  test.each([
    ['kind: Pod', 'it must be a Policy of apiVersion audit.k8s.io/v1'],
    ['apiVersion: audit.k8s.io/v1\nkind: Policy', 'rules: Required value: give at least one'],
    [
      'apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: All}]',
      'rules[0].level: Unsupported value: "All": give one of None, Metadata, Request, RequestResponse',
    ],
    [
      'apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: None, verbs: get}]',
      'rules[0].verbs: Invalid value: "get": must be a list',
    ],
  ])('that is wrong is refused: %s', (text, why) => {
    expect(() => readAuditPolicy(text, 'p.yaml')).toThrow(`Cannot use the audit policy p.yaml: ${why}`)
  })
})
