import { describe, expect, test } from 'vitest'
import { resourceAttributes } from '../attributes.ts'
import { AccessIndex } from './access-index.ts'
import { readRule } from './default-objects.ts'
import { RbacAuthorizer } from './rbac-authorizer.ts'

const RBAC = 'rbac.authorization.k8s.io'
const list = { verb: 'list', group: '', resource: 'pods' }

function subject(text: string) {
  const [kind = '', name = ''] = text.split(' ')
  if (kind !== 'ServiceAccount') return { kind, name, apiGroup: RBAC }
  const [namespace = '', account = ''] = name.split('/')
  return { kind, name: account, namespace }
}

function indexed(subjects: readonly string[], namespace?: string) {
  const index = new AccessIndex()
  index.putRole({ metadata: { name: 'reader' }, rules: [readRule('list core pods')] })
  const binding = {
    metadata: { name: 'b', ...(namespace ? { namespace } : {}) },
    roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: 'reader' },
    subjects: subjects.map(subject),
  }
  index.putBinding(binding)
  return { index, binding, authorizer: new RbacAuthorizer(index) }
}

describe('RBAC', () => {
  test.each([
    ['User jane', undefined, 'jane', [], 'a', true],
    ['User jane', undefined, 'jane', [], '', true],
    ['User jane', 'a', 'jane', [], 'a', true],
    ['User jane', 'a', 'jane', [], 'b', false],
    ['User jane', 'a', 'jane', [], '', false],
    ['User jane', undefined, 'bob', [], 'a', false],
    ['Group dev', undefined, 'bob', ['dev'], 'a', true],
    ['Group dev', undefined, 'dev', [], 'a', false],
    ['User dev', undefined, 'bob', ['dev'], 'a', false],
    ['ServiceAccount a/builder', undefined, 'system:serviceaccount:a:builder', [], 'b', true],
    ['ServiceAccount a/builder', undefined, 'system:serviceaccount:b:builder', [], 'b', false],
    ['ServiceAccount /builder', 'a', 'system:serviceaccount:a:builder', [], 'a', true],
    ['ServiceAccount a/builder', undefined, 'builder', [], 'a', false],
  ])('%s bound in %s: %s of %j in "%s" is %s', (bound, at, name, groups, namespace, allowed) => {
    const { authorizer } = indexed([bound], at)
    expect(authorizer.authorize(resourceAttributes({ name, groups }, { ...list, namespace })).allowed).toBe(
      allowed,
    )
  })

  test('follows changes of roles and bindings', () => {
    const { index, binding, authorizer } = indexed(['User jane', 'User bob'])
    const may = (name: string) =>
      authorizer.authorize(resourceAttributes({ name, groups: [] }, { ...list, namespace: 'a' })).allowed
    index.putBinding({ ...binding, subjects: [subject('User bob')] })
    expect([may('jane'), may('bob')]).toEqual([false, true])
    index.putRole({ metadata: { name: 'reader' }, rules: [] })
    expect(may('bob')).toBe(false)
    index.putRole({ metadata: { name: 'reader' }, rules: [readRule('* * *')] })
    expect(may('bob')).toBe(true)
    index.removeBinding(binding)
    expect(may('bob')).toBe(false)
  })

  test('says which role a binding misses', () => {
    const { index, authorizer } = indexed(['User jane'])
    index.removeRole({ metadata: { name: 'reader' } })
    expect(authorizer.authorize(resourceAttributes({ name: 'jane', groups: [] }, list))).toEqual({
      allowed: false,
      reason: 'RBAC: clusterrole.rbac.authorization.k8s.io "reader" not found',
    })
  })
})
