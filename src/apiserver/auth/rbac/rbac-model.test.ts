import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { V1PolicyRule } from '../../../api/generated/types.ts'
import { resourceAttributes } from '../attributes.ts'
import { AccessIndex, type Binding } from './access-index.ts'
import { RbacAuthorizer } from './rbac-authorizer.ts'
import { ruleAllows, rulesNotHeld } from './rules.ts'

/** The index against a plain reading of all roles and bindings, after any order of changes. */
const names = fc.constantFrom('a', 'b')
const namespaces = fc.constantFrom(undefined, 'x', 'y')
const some = (...values: readonly string[]) => fc.subarray([...values], { minLength: 1, maxLength: 2 })
const rules: fc.Arbitrary<V1PolicyRule> = fc.record(
  {
    verbs: some('get', 'list', '*'),
    apiGroups: some('', 'apps', '*'),
    resources: some('pods', 'pods/log', '*/log', '*'),
    resourceNames: some('web', 'db'),
  },
  { requiredKeys: ['verbs', 'apiGroups', 'resources'] },
)
const subjects = fc.oneof(
  fc.record({ kind: fc.constantFrom('User', 'Group'), name: fc.constantFrom('jane', 'dev') }),
  fc.record({
    kind: fc.constant('ServiceAccount'),
    name: fc.constant('sa'),
    namespace: fc.constantFrom('x', 'y'),
  }),
)
const metadata = fc.record({ name: names, namespace: namespaces })
const changes = fc.array(
  fc.oneof(
    fc.record({ type: fc.constant('role' as const), metadata, rules: fc.array(rules, { maxLength: 2 }) }),
    fc.record({
      type: fc.constant('binding' as const),
      metadata,
      roleRef: fc.record({
        apiGroup: fc.constant(''),
        kind: fc.constantFrom('Role', 'ClusterRole'),
        name: names,
      }),
      subjects: fc.array(subjects, { maxLength: 3 }),
    }),
    fc.record({ type: fc.constantFrom('no role' as const, 'no binding' as const), metadata }),
  ),
  { maxLength: 12 },
)
const questions = fc.record({
  user: fc.constantFrom(
    { name: 'jane', groups: [] },
    { name: 'bob', groups: ['dev'] },
    { name: 'system:serviceaccount:x:sa', groups: ['dev'] },
  ),
  verb: fc.constantFrom('get', 'list', 'delete'),
  group: fc.constantFrom('', 'apps'),
  resource: fc.constantFrom('pods', 'secrets'),
  subresource: fc.constantFrom('', 'log'),
  namespace: fc.constantFrom('', 'x', 'y'),
  name: fc.constantFrom('', 'web', 'other'),
})

test('RBAC by index allows exactly what a plain reading of all roles and bindings allows', () => {
  fc.assert(
    fc.property(changes, fc.array(questions, { minLength: 5, maxLength: 5 }), (history, asked) => {
      const index = new AccessIndex()
      const roles = new Map<string, readonly V1PolicyRule[]>()
      const bindings = new Map<string, Binding>()
      for (const change of history) {
        const key = `${change.metadata.namespace ?? ''}/${change.metadata.name}`
        switch (change.type) {
          case 'role':
            index.putRole(change)
            roles.set(key, change.rules)
            break
          case 'binding':
            index.putBinding(change)
            bindings.set(key, change)
            break
          case 'no role':
            index.removeRole(change)
            roles.delete(key)
            break
          case 'no binding':
            index.removeBinding({ ...change, roleRef: { kind: '', name: '' } })
            bindings.delete(key)
        }
      }
      const authorizer = new RbacAuthorizer(index)
      for (const { user, ...question } of asked) {
        const attributes = resourceAttributes(user, question)
        const allowed = [...bindings.values()].some(({ metadata: { namespace }, roleRef, subjects = [] }) => {
          if (namespace !== undefined && namespace !== question.namespace) return false
          const isNamed = subjects.some((subject) =>
            subject.kind === 'User'
              ? subject.name === user.name
              : subject.kind === 'Group'
                ? user.groups.some((group) => group === subject.name)
                : user.name === `system:serviceaccount:${subject.namespace ?? ''}:${subject.name}`,
          )
          const held = roles.get(`${roleRef.kind === 'ClusterRole' ? '' : (namespace ?? '')}/${roleRef.name}`)
          return isNamed && (held ?? []).some((rule) => ruleAllows(rule, attributes))
        })
        expect(authorizer.authorize(attributes).allowed).toBe(allowed)
      }
    }),
    { numRuns: 2000 },
  )
})

test('Who is found to hold rules can do nothing with them that they could not do before', () => {
  fc.assert(
    fc.property(
      fc.array(rules, { maxLength: 3 }),
      fc.array(rules, { maxLength: 2 }),
      questions,
      (held, wanted, asked) => {
        if (rulesNotHeld(held, wanted).length > 0) return
        const { user, ...question } = asked
        const attributes = resourceAttributes(user, question)
        if (wanted.some((rule) => ruleAllows(rule, attributes)))
          expect(held.some((rule) => ruleAllows(rule, attributes))).toBe(true)
      },
    ),
    { numRuns: 5000 },
  )
})
