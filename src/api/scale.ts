import { ageColumn, nameColumn } from './age.ts'
import type { Column } from './kind.ts'
import type { Resource } from './resource.ts'

/** The autoscaling/v1 Scale of a resource: what its scale subresource shows and takes. Zero replicas are left out. */
export interface Scale extends Resource {
  readonly apiVersion: 'autoscaling/v1'
  readonly kind: 'Scale'
  readonly spec: { readonly replicas?: number }
  readonly status: { readonly replicas: number; readonly selector?: string }
}

/** What `kubectl get --subresource=scale` prints. */
export const scaleColumns: readonly Column<Scale>[] = [
  nameColumn,
  {
    name: 'Desired',
    type: 'integer',
    description: 'desired number of instances for the scaled object.',
    value: ({ spec }) => spec.replicas ?? 0,
  },
  {
    name: 'Available',
    type: 'integer',
    description: 'actual number of observed instances of the scaled object.',
    value: ({ status }) => status.replicas,
  },
  ageColumn,
]
