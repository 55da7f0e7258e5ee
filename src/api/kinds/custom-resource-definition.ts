import { nameColumn } from '../age.ts'
import { findCondition, isConditionTrue, setCondition } from '../conditions.ts'
import type { CustomResourceDefinition } from '../custom/definition.ts'
import { validateDefinition, validateDefinitionUpdate } from '../custom/definition-validation.ts'
import { defineKind } from '../kind.ts'
import { WAVE } from '../waves.ts'

/** Holds a definition until all objects of its kind are gone. */
export const CLEANUP_FINALIZER = 'customresourcecleanup.apiextensions.k8s.io'

export const customResourceDefinition = defineKind<CustomResourceDefinition>({
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  scope: 'Cluster',
  shortNames: ['crd', 'crds'],
  categories: ['api-extensions'],
  schema: 'V1CustomResourceDefinition',
  applyWave: WAVE.definitions,
  subresources: { status: true },
  setDefaults(resource) {
    const { names, conversion } = resource.spec
    const singular = names.singular || names.kind.toLowerCase()
    const listKind = names.listKind || (names.kind ? `${names.kind}List` : '')
    const isNamed = names.singular === singular && names.listKind === listKind
    if (isNamed && conversion) return resource
    return {
      ...resource,
      spec: {
        ...resource.spec,
        conversion: conversion ?? { strategy: 'None' },
        names: { ...names, ...(singular ? { singular } : {}), ...(listKind ? { listKind } : {}) },
      },
    }
  },
  validate: validateDefinition,
  validateUpdate: validateDefinitionUpdate,
  prepareForCreate: (resource) => withStoredVersion({ ...resource, status: {} }),
  prepareForUpdate: withStoredVersion,
  prepareForDelete(resource, now) {
    const finalizers = resource.metadata.finalizers ?? []
    const conditions = setCondition(
      resource.status?.conditions,
      {
        type: 'Terminating',
        status: 'True',
        reason: 'InstanceDeletionPending',
        message: 'CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon',
      },
      now,
    )
    return {
      ...resource,
      metadata: {
        ...resource.metadata,
        finalizers: finalizers.includes(CLEANUP_FINALIZER) ? finalizers : [...finalizers, CLEANUP_FINALIZER],
      },
      status: { ...resource.status, conditions },
    }
  },
  columns: [
    nameColumn,
    {
      name: 'Created At',
      type: 'date',
      description:
        'CreationTimestamp is a timestamp representing the server time when this object was created.',
      value: ({ metadata }) => metadata.creationTimestamp ?? null,
    },
  ],
  health({ status }) {
    const conditions = status?.conditions
    const names = findCondition(conditions, 'NamesAccepted')
    if (names?.status === 'False') return { status: 'Degraded', message: `${names.reason}: ${names.message}` }
    return isConditionTrue(conditions, 'Established')
      ? { status: 'Healthy' }
      : { status: 'Progressing', message: 'Waiting to be established' }
  },
  example: {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'widgets.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList' },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: {
            openAPIV3Schema: {
              type: 'object',
              properties: { spec: { type: 'object', properties: { size: { type: 'integer' } } } },
            },
          },
        },
      ],
    },
  },
})

/** Which versions objects may be stored in is remembered for ever. */
function withStoredVersion(resource: CustomResourceDefinition): CustomResourceDefinition {
  const storage = resource.spec.versions.find((version) => version.storage)?.name
  const before = resource.status?.storedVersions ?? []
  if (!storage || before.includes(storage)) return resource
  return { ...resource, status: { ...resource.status, storedVersions: [...before, storage] } }
}
