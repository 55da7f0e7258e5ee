import type { AnyKind } from './kind.ts'
import { defineKind } from './kind.ts'
import type { Resource } from './resource.ts'
import { WAVE } from './waves.ts'

/**
 * Kinds that are asked, not kept: a POST is answered with the same object and a status, nothing is stored. They are
 * served and discovered like all others; what answers them is in src/apiserver/reviews/.
 */
function defineReview(
  group: string,
  kind: string,
  options: { readonly scope?: 'Namespaced'; readonly spec?: object } = {},
): AnyKind {
  return defineKind<Resource>({
    group,
    version: 'v1',
    kind,
    plural: `${kind.toLowerCase()}s`,
    scope: options.scope ?? 'Cluster',
    schema: `V1${kind}`,
    verbs: ['create'],
    hasGeneration: false,
    applyWave: WAVE.records,
    columns: [],
    example: {
      apiVersion: `${group}/v1`,
      kind,
      metadata: { name: '' },
      ...(options.spec ? { spec: options.spec } : {}),
    } as Resource,
  })
}

const AUTHENTICATION = 'authentication.k8s.io'
const AUTHORIZATION = 'authorization.k8s.io'
const listPods = { resourceAttributes: { verb: 'list', resource: 'pods', namespace: 'default' } }

export const tokenReview = defineReview(AUTHENTICATION, 'TokenReview', { spec: { token: 'x' } })
export const selfSubjectReview = defineReview(AUTHENTICATION, 'SelfSubjectReview')
export const subjectAccessReview = defineReview(AUTHORIZATION, 'SubjectAccessReview', {
  spec: { user: 'jane', ...listPods },
})
export const localSubjectAccessReview = defineReview(AUTHORIZATION, 'LocalSubjectAccessReview', {
  scope: 'Namespaced',
  spec: { user: 'jane', ...listPods },
})
export const selfSubjectAccessReview = defineReview(AUTHORIZATION, 'SelfSubjectAccessReview', {
  spec: listPods,
})
export const selfSubjectRulesReview = defineReview(AUTHORIZATION, 'SelfSubjectRulesReview', {
  spec: { namespace: 'default' },
})

/** Not a question, but kept as little: what it says is written into the pod it names. */
export const binding = defineKind<Resource>({
  group: '',
  version: 'v1',
  kind: 'Binding',
  plural: 'bindings',
  scope: 'Namespaced',
  schema: 'V1Binding',
  verbs: ['create'],
  applyWave: WAVE.records,
  columns: [],
  example: {
    apiVersion: 'v1',
    kind: 'Binding',
    metadata: { name: 'web', namespace: 'default' },
    target: { kind: 'Node', name: 'worker-0' },
  } as Resource,
})

export const reviewKinds: readonly AnyKind[] = [
  binding,
  selfSubjectReview,
  tokenReview,
  localSubjectAccessReview,
  selfSubjectAccessReview,
  selfSubjectRulesReview,
  subjectAccessReview,
]
