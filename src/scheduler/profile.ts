import type { PluginSet, ProfileConfiguration, SchedulerConfiguration } from './configuration.ts'
import { type Framework, frameworkOf, type PreemptionArgs, type Scorer } from './framework.ts'
import type { AnyPlugin } from './plugin.ts'
import { plugins as builtIn, type Registry } from './plugins/index.ts'

/**
 * The profiles of a configuration, made ready. As kube-scheduler merges them: multiPoint changes the default plugins at
 * all points; a point's own `enabled` come first where they are in multiPoint as well, else last; its `disabled` are
 * taken out of that point, "*" all. Plugins of `outOfTree` are on where the configuration names them.
 */
export function frameworksOf(configuration: SchedulerConfiguration, outOfTree: Registry = {}): Framework[] {
  const registry = { ...builtIn, ...outOfTree }
  const profiles = configuration.profiles?.length ? configuration.profiles : [{}]
  const theirs = (configuration.extenders ?? []).flatMap(({ managedResources = [] }) =>
    managedResources.filter(({ ignoredByScheduler }) => ignoredByScheduler).map(({ name }) => name),
  )
  return profiles.map((profile) =>
    frameworkFor(withIgnored(profile, theirs), configuration.percentageOfNodesToScore ?? 0, registry),
  )
}

/** Resources that an extender looks after are nothing to NodeResourcesFit. */
function withIgnored(profile: ProfileConfiguration, names: readonly string[]): ProfileConfiguration {
  if (names.length === 0) return profile
  const configs = profile.pluginConfig ?? []
  const args = configs.find(({ name }) => name === 'NodeResourcesFit')?.args as
    | { readonly ignoredResources?: readonly string[] }
    | undefined
  const ignoredResources = [...(args?.ignoredResources ?? []), ...names]
  return {
    ...profile,
    pluginConfig: [
      ...configs.filter(({ name }) => name !== 'NodeResourcesFit'),
      { name: 'NodeResourcesFit', args: { ...args, ignoredResources } },
    ],
  }
}

/** kube-scheduler without a configuration file. */
export function defaultFramework(): Framework {
  return frameworkFor({}, 0, builtIn)
}

interface Enabled {
  readonly name: string
  readonly weight: number
}

const PREEMPTION = 'DefaultPreemption'
const DEFAULTS: readonly Enabled[] = [
  ...Object.entries(builtIn).map(([name, { weight }]) => ({ name, weight })),
  { name: PREEMPTION, weight: 0 },
]

function frameworkFor(profile: ProfileConfiguration, percentage: number, registry: Registry): Framework {
  const { schedulerName = 'default-scheduler', pluginConfig = [] } = profile
  const made = new Map<string, AnyPlugin>()
  const argsOf = (name: string) => pluginConfig.find((config) => config.name === name)?.args
  const pluginsAt = (point: string): Scorer[] =>
    enabledAt(point, profile).flatMap(({ name, weight }) => {
      const entry = registry[name]
      if (!entry) return []
      const plugin = made.get(name) ?? entry.make(argsOf(name))
      made.set(name, plugin)
      return [{ plugin, weight: weight || 1 }]
    })
  const at = (point: string) => pluginsAt(point).map(({ plugin }) => plugin)
  return frameworkOf(
    schedulerName,
    {
      preEnqueue: at('preEnqueue'),
      preFilter: at('preFilter'),
      filter: at('filter'),
      preemption: enabledAt('postFilter', profile).some(({ name }) => name === PREEMPTION)
        ? ((argsOf(PREEMPTION) ?? {}) as PreemptionArgs)
        : undefined,
      score: pluginsAt('score'),
      reserve: at('reserve'),
      permit: at('permit'),
      preBind: at('preBind'),
      bind: at('bind'),
      postBind: at('postBind'),
    },
    profile.percentageOfNodesToScore ?? percentage,
  )
}

function enabledAt(point: string, { plugins = {} }: ProfileConfiguration): Enabled[] {
  const multi = merged(DEFAULTS, plugins['multiPoint'])
  const { enabled = [], disabled = [] } = plugins[point] ?? {}
  const own = enabled.map(({ name, weight = 0 }) => ({ name, weight }))
  const isOff = (name: string) => disabled.some((each) => each.name === '*' || each.name === name)
  const isMulti = (name: string) => multi.some((each) => each.name === name)
  const isOwn = (name: string) => own.some((each) => each.name === name)
  return [
    ...own.filter(({ name }) => isMulti(name)),
    ...multi.filter(({ name }) => !isOwn(name) && !isOff(name)),
    ...own.filter(({ name }) => !isMulti(name)),
  ]
}

/** What is enabled anew replaces the default in its place, or comes last. */
function merged(defaults: readonly Enabled[], { enabled = [], disabled = [] }: PluginSet = {}): Enabled[] {
  const isOff = (name: string) => disabled.some((each) => each.name === '*' || each.name === name)
  const own = enabled.map(({ name, weight = 0 }) => ({ name, weight }))
  const kept = defaults
    .filter(({ name }) => !isOff(name))
    .map((each) => own.find(({ name }) => name === each.name) ?? each)
  return [...kept, ...own.filter(({ name }) => !kept.some((each) => each.name === name))]
}
