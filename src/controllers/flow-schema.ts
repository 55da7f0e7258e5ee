/** Says of every FlowSchema whether the priority level it names is there (condition Dangling). */
import { findCondition, setCondition } from '../api/conditions.ts'
import { type FlowSchema, flowSchema } from '../api/kinds/flow-schema.ts'
import { priorityLevelConfiguration } from '../api/kinds/priority-level-configuration.ts'
import { type Controller, watched } from './controller.ts'

export const flowSchemaController: Controller<FlowSchema> = {
  name: 'flow-schema',
  kind: flowSchema,
  watches: [
    watched({
      kind: priorityLevelConfiguration,
      keys: ({ resource }, informers) =>
        informers
          .of(flowSchema)
          .list()
          .filter(({ spec }) => spec.priorityLevelConfiguration.name === resource.metadata.name)
          .map(({ metadata }) => metadata.name),
    }),
  ],
  async reconcile({ env, client, informers }, schema) {
    const { name } = schema.spec.priorityLevelConfiguration
    const isThere = informers.of(priorityLevelConfiguration).get(name) !== undefined
    const wanted = {
      type: 'Dangling',
      status: isThere ? 'False' : 'True',
      reason: isThere ? 'Found' : 'NotFound',
      message: `This FlowSchema references the PriorityLevelConfiguration object named ${JSON.stringify(name)} ${isThere ? 'and it exists' : 'but there is no such object'}`,
    }
    const conditions = (schema.status?.conditions ?? []).map(({ type = '', status = '', ...rest }) => ({
      ...rest,
      type,
      status,
    }))
    const before = findCondition(conditions, 'Dangling')
    if (before?.status === wanted.status && before.message === wanted.message) return undefined
    const status = { ...schema.status, conditions: setCondition(conditions, wanted, env.clock.now()) }
    await client.update(flowSchema, { ...schema, status }, { subresource: 'status' })
    return undefined
  },
}
