import { describe, expect, test } from 'vitest'
import { resolve } from './schema.ts'
import { withSpec, withZeroValues } from './zero-values.ts'

const of = (definition: string) => resolve({ ref: definition })

describe('withZeroValues', () => {
  test.each<[string, string, object, object]>([
    ['gives a required number 0', 'V1Service', { spec: { ports: [{}] } }, { spec: { ports: [{ port: 0 }] } }],
    ['gives a required list nothing', 'V1PodSpec', {}, { containers: [] }],
    ['gives a required text nothing', 'V1PodSpec', { containers: [{}] }, { containers: [{ name: '' }] }],
    [
      'gives a required object its own required fields',
      'V1ScopedResourceSelectorRequirement',
      {},
      { operator: '', scopeName: '' },
    ],
    ['leaves out what Go points to', 'V1DeploymentSpec', { replicas: 1 }, { replicas: 1, template: {} }],
    ['gives an int-or-string 0', 'V1Probe', { httpGet: { path: '/' } }, { httpGet: { path: '/', port: 0 } }],
    ['leaves optional fields alone', 'V1ConfigMap', { data: {} }, { data: {} }],
  ])('%s', (_, definition, given, expected) =>
    expect(withZeroValues(given, of(definition))).toEqual(expected),
  )

  test('gives back what lacks nothing', () => {
    const whole = { spec: { ports: [{ port: 80 }] } }
    expect(withZeroValues(whole, of('V1Service'))).toBe(whole)
  })
})

test('Every kind with a spec has one', () => {
  expect(withSpec({ kind: 'Node' }, of('V1Node'))).toEqual({ kind: 'Node', spec: {} })
  expect(withSpec({ kind: 'Secret' }, of('V1Secret'))).toEqual({ kind: 'Secret' })
})
