/** A cluster role with an aggregationRule holds the rules of the cluster roles its selectors find. */
import type { V1PolicyRule } from '../api/generated/types.ts'
import { type ClusterRole, clusterRole } from '../api/kinds/cluster-role.ts'
import { labelSelectorMatches } from '../api/selectors.ts'
import { deepEqual } from '../base/json.ts'
import { type Controller, watched } from './controller.ts'

export const clusterRoleAggregationController: Controller<ClusterRole> = {
  name: 'clusterrole-aggregation',
  kind: clusterRole,
  watches: [
    watched({
      kind: clusterRole,
      // Any change may enter or leave any aggregate: there are few of them.
      keys: (_, informers) =>
        informers
          .of(clusterRole)
          .list()
          .filter(({ aggregationRule }) => aggregationRule)
          .map(({ metadata }) => metadata.name),
    }),
  ],
  async reconcile({ client, informers }, role) {
    if (!role.aggregationRule) return undefined
    const rules = aggregatedRules(role, informers.of(clusterRole).list())
    if (!deepEqual(rules, role.rules ?? [])) await client.update(clusterRole, { ...role, rules })
    return undefined
  },
}

/** Selector by selector, roles by name, each rule once. Pure. */
export function aggregatedRules(role: ClusterRole, all: readonly ClusterRole[]): readonly V1PolicyRule[] {
  const sorted = [...all].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
  const rules: V1PolicyRule[] = []
  for (const selector of role.aggregationRule?.clusterRoleSelectors ?? [])
    for (const { metadata, rules: own = [] } of sorted) {
      if (metadata.name === role.metadata.name || !labelSelectorMatches(selector, metadata.labels)) continue
      for (const rule of own) if (!rules.some((other) => deepEqual(other, rule))) rules.push(rule)
    }
  return rules
}
