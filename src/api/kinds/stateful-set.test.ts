import { describe, expect, test } from 'vitest'
import { type StatefulSet, statefulSet } from './stateful-set.ts'

const withMount = (name: string): StatefulSet => {
  const { spec } = statefulSet.example
  const volumeMounts = [{ name, mountPath: '/data' }]
  const containers = [{ name: 'app', image: 'registry.example/db:1', volumeMounts }]
  return statefulSet.setDefaults({
    ...statefulSet.example,
    spec: {
      ...spec,
      template: { ...spec.template, spec: { ...spec.template.spec, containers } },
      volumeClaimTemplates: [
        {
          apiVersion: 'v1',
          kind: 'PersistentVolumeClaim',
          metadata: { name: 'data' },
          spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
        },
      ],
    },
  })
}

describe('A StatefulSet', () => {
  test('may mount the claims that its pods get', () => {
    expect(statefulSet.validate(withMount('data'))).toEqual([])
  })

  test('may not mount what its pods do not have', () => {
    expect(statefulSet.validate(withMount('logs'))).toMatchObject([
      { field: 'spec.template.spec.containers[0].volumeMounts[0].name', message: 'Not found: "logs"' },
    ])
  })
})
