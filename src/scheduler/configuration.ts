import { decode } from '../api/decode.ts'
import type { Schema } from '../api/schema.ts'
import { ApiError, fault, type StatusCause } from '../api/status.ts'
import { validateSchema } from '../api/validate-schema.ts'
import { ARGS, CONFIGURATION } from './configuration-schema.ts'
import type { ExtenderTls } from './extender-transport.ts'
import type { PreemptionArgs } from './framework.ts'
import type { Registry } from './plugins/index.ts'

/** A KubeSchedulerConfiguration, checked. */
export interface SchedulerConfiguration {
  readonly percentageOfNodesToScore?: number
  readonly podInitialBackoffSeconds?: number
  readonly podMaxBackoffSeconds?: number
  readonly profiles?: readonly ProfileConfiguration[]
  readonly extenders?: readonly ExtenderConfiguration[]
}

export interface ProfileConfiguration {
  readonly schedulerName?: string
  readonly percentageOfNodesToScore?: number
  readonly plugins?: Readonly<Partial<Record<string, PluginSet>>>
  readonly pluginConfig?: readonly { readonly name: string; readonly args?: object }[]
}

export interface PluginSet {
  readonly enabled?: readonly { readonly name: string; readonly weight?: number }[]
  readonly disabled?: readonly { readonly name: string }[]
}

export interface ExtenderConfiguration {
  readonly urlPrefix: string
  readonly filterVerb?: string
  readonly prioritizeVerb?: string
  readonly bindVerb?: string
  readonly preemptVerb?: string
  readonly enableHTTPS?: boolean
  readonly tlsConfig?: ExtenderTls
  readonly weight?: number
  readonly httpTimeout?: string
  readonly nodeCacheCapable?: boolean
  readonly managedResources?: readonly { readonly name: string; readonly ignoredByScheduler?: boolean }[]
  readonly ignorable?: boolean
}

/**
 * Reads a configuration as parsed from its file. Answers with every fault there is: field paths as the file has them,
 * messages that quote the value and say what would be right. `plugins` are those there are.
 */
export function readConfiguration(
  input: unknown,
  plugins: Registry,
): { readonly configuration: SchedulerConfiguration } | { readonly faults: readonly StatusCause[] } {
  const { value, faults } = check(input, CONFIGURATION, '')
  if (!value) return { faults }
  const configuration = value as SchedulerConfiguration
  const all = [
    ...faults,
    ...(configuration.profiles ?? []).flatMap((profile, i) =>
      profileFaults(profile, `profiles[${i}]`, plugins),
    ),
    ...sameNames(configuration),
    ...backoffFaults(configuration),
    ...(configuration.extenders ?? []).flatMap(extenderFaults),
    ...extendersFaults(configuration),
  ]
  return all.length > 0 ? { faults: all } : { configuration }
}

/** Types and unknown fields as the API's decoder reads them, then the rules the schema states. */
function check(
  input: unknown,
  schema: Schema,
  at: string,
): { readonly value?: unknown; readonly faults: StatusCause[] } {
  const prefix = at === '' ? '' : `${at}.`
  try {
    const { value, unknownFields } = decode(input, schema, 'KubeSchedulerConfiguration')
    const unknown = unknownFields.map((text): StatusCause => {
      const field = `${prefix}${/"(.*)"/.exec(text)?.[1] ?? ''}`
      return { reason: 'FieldValueInvalid', field, message: `there is no field "${field}"` }
    })
    const faults = validateSchema(value, schema).map((each) => ({ ...each, field: `${prefix}${each.field}` }))
    return { value, faults: [...unknown, ...faults] }
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    const path = /field \S+?\.(\S+) of type/.exec(error.message)?.[1]
    return {
      faults: [{ reason: 'FieldValueTypeInvalid', field: `${prefix}${path ?? ''}`, message: error.message }],
    }
  }
}

function profileFaults(
  { schedulerName = 'default-scheduler', plugins = {}, pluginConfig = [] }: ProfileConfiguration,
  at: string,
  registry: Registry,
): StatusCause[] {
  const faults: StatusCause[] = []
  const known = new Set([...Object.keys(registry), SORTING, PREEMPTION])
  for (const [point, set] of Object.entries(plugins)) {
    for (const [i, { name }] of (set?.enabled ?? []).entries())
      if (!known.has(name)) faults.push(noPlugin(`${at}.plugins.${point}.enabled[${i}].name`, name, known))
      else if (!isFor(point, name, registry))
        faults.push(
          fault.invalid(
            `${at}.plugins.${point}.enabled[${i}].name`,
            name,
            `plugin "${name}" does not extend ${point[0]?.toUpperCase()}${point.slice(1)}Plugin plugin`,
          ),
        )
    for (const [i, { name }] of (set?.disabled ?? []).entries())
      if (name !== '*' && !known.has(name))
        faults.push(noPlugin(`${at}.plugins.${point}.disabled[${i}].name`, name, known))
    const names = (set?.enabled ?? []).map(({ name }) => name)
    for (const [i, name] of names.entries())
      if (names.indexOf(name) < i)
        faults.push(fault.duplicate(`${at}.plugins.${point}.enabled[${i}].name`, name))
  }
  if (isOff(SORTING, 'queueSort', plugins))
    faults.push(
      fault.required(
        `${at}.plugins.queueSort`,
        `only one queue sort plugin required for profile with scheduler name "${schedulerName}", but got 0`,
      ),
    )
  if (isOff('DefaultBinder', 'bind', plugins))
    faults.push(
      fault.required(
        `${at}.plugins.bind`,
        `at least one bind plugin is needed for profile with scheduler name "${schedulerName}"`,
      ),
    )
  for (const [i, { name, args }] of pluginConfig.entries()) {
    const path = `${at}.pluginConfig[${i}]`
    if (!known.has(name)) faults.push(noPlugin(`${path}.name`, name, known))
    else if (args) faults.push(...argsFaults(name, args, `${path}.args`))
    if (pluginConfig.findIndex((other) => other.name === name) < i)
      faults.push(fault.duplicate(`${path}.name`, name))
  }
  return faults
}

const SORTING = 'PrioritySort'
const PREEMPTION = 'DefaultPreemption'

/** Whether the plugin has anything to say at the point; the two that are no plugins of the registry at theirs. */
function isFor(point: string, name: string, registry: Registry): boolean {
  if (point === 'multiPoint') return true
  if (name === SORTING) return point === 'queueSort'
  if (name === PREEMPTION) return point === 'postFilter'
  const plugin = registry[name]?.make() as Readonly<Record<string, unknown>> | undefined
  return plugin?.[point] !== undefined
}

/** The only plugin of its point is not on there. */
function isOff(name: string, point: string, plugins: NonNullable<ProfileConfiguration['plugins']>): boolean {
  const has = (list: readonly { readonly name: string }[] = [], any = '') =>
    list.some((each) => each.name === name || each.name === any)
  const [multi, own] = [plugins['multiPoint'], plugins[point]]
  if (has(own?.enabled)) return false
  return has(own?.disabled, '*') || (has(multi?.disabled, '*') && !has(multi?.enabled))
}

function noPlugin(field: string, name: string, known: ReadonlySet<string>): StatusCause {
  return fault.notSupported(field, name, [...known])
}

function argsFaults(name: string, args: object, at: string): StatusCause[] {
  const schema = ARGS[name]
  const { apiVersion: _version, kind: _kind, ...given } = args as Record<string, unknown>
  if (!schema)
    return Object.keys(given).map((key) => fault.forbidden(`${at}.${key}`, `${name} takes no arguments`))
  const { faults } = check(given, schema, at)
  if (faults.length > 0) return faults
  if (name === 'PodTopologySpread') return spreadFaults(given, at)
  if (name === 'NodeResourcesFit') return shapeFaults(given, at)
  if (name === PREEMPTION) return candidatesFaults(given, at)
  return []
}

function spreadFaults(
  args: { readonly defaultingType?: string; readonly defaultConstraints?: readonly object[] },
  at: string,
): StatusCause[] {
  const constraints = args.defaultConstraints ?? []
  if (args.defaultingType !== 'List' && constraints.length > 0)
    return [
      fault.invalid(
        `${at}.defaultingType`,
        args.defaultingType ?? 'System',
        'when .defaultConstraints are specified, it must be "List"',
      ),
    ]
  return constraints.flatMap((constraint, i) =>
    'labelSelector' in constraint
      ? [
          fault.forbidden(
            `${at}.defaultConstraints[${i}].labelSelector`,
            'constraint must not define a selector, as they deduced for each pod',
          ),
        ]
      : [],
  )
}

function candidatesFaults(args: PreemptionArgs, at: string): StatusCause[] {
  const { minCandidateNodesPercentage: percentage = 10, minCandidateNodesAbsolute: absolute = 100 } = args
  if (percentage > 0 || absolute > 0) return []
  const both = (field: string, other: string) =>
    fault.invalid(`${at}.${field}`, 0, `cannot be zero at the same time as ${other}`)
  return [
    both('minCandidateNodesPercentage', 'minCandidateNodesAbsolute'),
    both('minCandidateNodesAbsolute', 'minCandidateNodesPercentage'),
  ]
}

function shapeFaults(args: object, at: string): StatusCause[] {
  const { scoringStrategy } = args as {
    scoringStrategy?: { type?: string; requestedToCapacityRatio?: { shape?: { utilization: number }[] } }
  }
  const shape = scoringStrategy?.requestedToCapacityRatio?.shape
  const path = `${at}.scoringStrategy.requestedToCapacityRatio.shape`
  if (scoringStrategy?.type === 'RequestedToCapacityRatio' && !shape)
    return [fault.required(path, 'at least one point must be specified')]
  return (shape ?? []).flatMap(({ utilization }, i) =>
    i > 0 && utilization <= (shape?.[i - 1]?.utilization ?? 0)
      ? [
          fault.invalid(
            `${path}[${i}].utilization`,
            utilization,
            'utilization values must be sorted in increasing order',
          ),
        ]
      : [],
  )
}

function sameNames({ profiles = [] }: SchedulerConfiguration): StatusCause[] {
  const names = profiles.map(({ schedulerName = 'default-scheduler' }) => schedulerName)
  return names.flatMap((name, i) =>
    names.indexOf(name) < i ? [fault.duplicate(`profiles[${i}].schedulerName`, name)] : [],
  )
}

function backoffFaults({ podInitialBackoffSeconds = 1, podMaxBackoffSeconds = 10 }: SchedulerConfiguration) {
  if (podMaxBackoffSeconds >= podInitialBackoffSeconds) return []
  return [
    fault.invalid(
      'podMaxBackoffSeconds',
      podMaxBackoffSeconds,
      'must be greater than or equal to PodInitialBackoffSeconds',
    ),
  ]
}

function extenderFaults(extender: object, i: number): StatusCause[] {
  const { prioritizeVerb, weight } = extender as Record<string, unknown>
  if (!prioritizeVerb || weight !== undefined) return []
  return [fault.required(`extenders[${i}].weight`, 'must have a positive weight applied to it')]
}

/** Rules over all extenders: one may bind, and a resource is looked after once. */
function extendersFaults({ extenders = [] }: SchedulerConfiguration): StatusCause[] {
  const binders = extenders.filter(({ bindVerb }) => bindVerb).length
  const managed = extenders.flatMap(({ managedResources = [] }, i) =>
    managedResources.map(({ name }, j) => ({ name, at: `extenders[${i}].managedResources[${j}].name` })),
  )
  return [
    ...(binders > 1
      ? [
          fault.invalid(
            'extenders',
            `found ${binders} extenders implementing bind`,
            'only one extender can implement bind',
          ),
        ]
      : []),
    ...managed.flatMap(({ name, at }, i) =>
      managed.findIndex((other) => other.name === name) < i ? [fault.duplicate(at, name)] : [],
    ),
  ]
}
