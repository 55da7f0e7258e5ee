import { findCondition, isConditionTrue } from '../api/conditions.ts'
import type { CustomResourceDefinition } from '../api/custom/definition.ts'
import { customResourceDefinition } from '../api/kinds/custom-resource-definition.ts'
import type { AnyResource } from '../api/resource.ts'
import type { Client } from '../client/client.ts'

/** Waits until a definition that was applied is served; what keeps it from being so comes back as text. */
export async function untilServed(client: Client, { metadata }: AnyResource): Promise<string | undefined> {
  const fieldSelector = `metadata.name=${metadata.name}`
  for await (const event of client.watch(customResourceDefinition, { fieldSelector })) {
    if (event.type === 'BOOKMARK') continue
    const { conditions } = (event.object as CustomResourceDefinition).status ?? {}
    const names = findCondition(conditions, 'NamesAccepted')
    if (names?.status === 'False') return `${names.reason}: ${names.message}`
    if (isConditionTrue(conditions, 'Established')) return undefined
  }
  return undefined
}
