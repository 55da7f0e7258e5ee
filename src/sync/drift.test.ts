import { describe, expect, test } from 'vitest'
import type { AnyResource } from '../api/resource.ts'
import { describeDrift } from './drift.ts'
import { adoptLive } from './ignore-differences.ts'

const object = (spec: object, more: object = {}): AnyResource => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'default', ...more },
  spec: spec as { [field: string]: unknown },
})
const entry = (manager: string, time: string, fieldsV1: object, more: object = {}) => ({
  manager,
  operation: 'Update',
  time,
  fieldsV1,
  ...more,
})

describe('describeDrift', () => {
  const wanted = object({ replicas: 2, containers: [{ name: 'app', image: 'a:1' }] })
  const seamark = entry('seamark', '2030-01-01T00:00:00Z', { 'f:spec': { 'f:replicas': {} } })
  test.each([
    [
      'the owner of the field is to blame, not the latest writer',
      object(
        { replicas: 5, containers: [{ name: 'app', image: 'a:1' }] },
        {
          managedFields: [
            seamark,
            entry('kubectl-scale', '2030-01-01T00:00:01Z', { 'f:spec': { 'f:replicas': {} } }),
            entry('kubectl-label', '2030-01-01T00:00:09Z', { 'f:metadata': { 'f:labels': {} } }),
          ],
        },
      ),
      { fields: ['spec.replicas'], by: 'kubectl-scale' },
    ],
    [
      'a field inside a list',
      object(
        { replicas: 2, containers: [{ name: 'app', image: 'evil' }] },
        {
          managedFields: [
            entry('kubectl-edit', '2030-01-01T00:00:01Z', {
              'f:spec': { 'f:containers': { 'k:{"name":"app"}': { 'f:image': {} } } },
            }),
          ],
        },
      ),
      { fields: ['spec.containers[0].image'], by: 'kubectl-edit' },
    ],
    [
      'a field that was removed has no owner: the latest writer',
      object(
        { containers: [{ name: 'app', image: 'a:1' }] },
        { managedFields: [entry('kubectl-patch', '2030-01-01T00:00:01Z', {})] },
      ),
      { fields: ['spec.replicas'], by: 'kubectl-patch' },
    ],
    [
      'nobody is known',
      object({ replicas: 3, containers: [{ name: 'app', image: 'a:1' }] }, { managedFields: [seamark] }),
      { fields: ['spec.replicas'], by: 'somebody' },
    ],
  ])('%s', (_, live, expected) =>
    expect(describeDrift(live as AnyResource, wanted, 'seamark')).toEqual(expected),
  )
})

describe('adoptLive', () => {
  const wanted = object({ replicas: 2, list: [{ a: 1 }, { a: 2 }] }, { annotations: { 'x/y': '1' } })
  test.each([
    [
      'takes what is there',
      ['/spec/replicas'],
      object({ replicas: 9 }),
      { replicas: 9, list: [{ a: 1 }, { a: 2 }] },
    ],
    ['leaves out what is not there', ['/spec/replicas'], object({}), { list: [{ a: 1 }, { a: 2 }] }],
    [
      'reaches into lists',
      ['/spec/list/1/a'],
      object({ list: [{ a: 7 }, { a: 8 }] }),
      { replicas: 2, list: [{ a: 1 }, { a: 8 }] },
    ],
    [
      'adds nothing that the manifest does not say',
      ['/spec/other'],
      object({ other: 1 }),
      { replicas: 2, list: [{ a: 1 }, { a: 2 }] },
    ],
    [
      'ignores what leads nowhere',
      ['/nowhere/x', ''],
      object({}),
      { replicas: 2, list: [{ a: 1 }, { a: 2 }] },
    ],
  ])('%s', (_, pointers, live, spec) => expect(adoptLive(wanted, live, pointers).spec).toEqual(spec))

  test('reads escaped keys', () =>
    expect(
      adoptLive(wanted, object({}, { annotations: { 'x/y': '2' } }), ['/metadata/annotations/x~1y']).metadata
        .annotations,
    ).toEqual({ 'x/y': '2' }))
})
