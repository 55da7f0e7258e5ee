import { isObject } from '../../base/json.ts'
import type { Health } from '../kind.ts'
import type { AnyResource } from '../resource.ts'

/**
 * How a custom resource fares, by the conventions of conditions (kstatus): an older observedGeneration or a true
 * Reconciling is progress, a true Stalled is bad, and Ready or Available decide where they are told. One that says
 * nothing is healthy.
 */
export function customHealth({ metadata, status }: AnyResource): Health {
  const seen = status?.['observedGeneration']
  if (typeof seen === 'number' && metadata.generation !== undefined && seen < metadata.generation)
    return { status: 'Progressing', message: 'Waiting for its controller to see the newest generation' }
  const conditions = Array.isArray(status?.['conditions']) ? (status['conditions'] as readonly unknown[]) : []
  const find = (type: string) =>
    conditions.find((each) => isObject(each) && each['type'] === type) as
      | { readonly status?: unknown; readonly message?: unknown; readonly reason?: unknown }
      | undefined
  const words = (condition: { readonly message?: unknown; readonly reason?: unknown }) =>
    [condition.reason, condition.message].filter((part) => typeof part === 'string' && part !== '').join(': ')
  const stalled = find('Stalled')
  if (stalled?.status === 'True') return { status: 'Degraded', message: words(stalled) }
  const reconciling = find('Reconciling')
  if (reconciling?.status === 'True') return { status: 'Progressing', message: words(reconciling) }
  for (const type of ['Ready', 'Available']) {
    const condition = find(type)
    if (condition && condition.status !== 'True') return { status: 'Progressing', message: words(condition) }
    if (condition) return { status: 'Healthy' }
  }
  return { status: 'Healthy' }
}
