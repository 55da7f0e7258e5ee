import { FAULT_ACTIONS, type Fault, type FaultAction, fault as faultKind } from '../../api/kinds/fault.ts'
import { node as nodeKind } from '../../api/kinds/node.ts'
import { pod as podKind } from '../../api/kinds/pod.ts'
import { badRequest } from '../../api/status.ts'
import { connect } from '../applications.ts'
import type { CliCommand } from '../command.ts'
import { isEverywhere, whyOnNothing } from './fault-target.ts'
import { type StatusOptions, serverOptions } from './status.ts'

interface FaultOptions extends StatusOptions {
  readonly for: string
  readonly all?: boolean
  readonly zone?: string
  readonly selector?: string
  readonly container?: string
  readonly image?: string
  readonly delay?: string
  readonly resource?: string
}

/** "kill-node" for KillNode. */
const WORDS: ReadonlyMap<string, FaultAction> = new Map(
  FAULT_ACTIONS.map((action) => [
    action.replace(/[A-Z]/g, (letter, at: number) => `${at > 0 ? '-' : ''}${letter.toLowerCase()}`),
    action,
  ]),
)
const WHERE = {
  node: 'nodes, give --zone ZONE',
  pod: 'a pod, give --selector LABELS',
  image: 'an image',
} as const
const OF_NODES: ReadonlySet<FaultAction> = new Set([
  'KillNode',
  'ShutdownNode',
  'PartitionNode',
  'SlowNode',
  'DrainNode',
  'FillDisk',
])

export const faultCommand: CliCommand = {
  add(program, { output }) {
    serverOptions(
      program
        .command('fault')
        .description(
          'make something go wrong for a while; kubectl get faults shows them, kubectl delete ends one',
        )
        .argument('<action>', [...WORDS.keys()].join(', '))
        .argument('[target...]', 'nodes, a pod, or the image of fail-pull')
        .option('--all', 'all nodes, pods or images, when nothing says which')
        .option('--for <duration>', 'how long it lasts', '1m')
        .option('--zone <zone>', 'only nodes of this zone')
        .option('-l, --selector <labels>', 'only pods with these labels: a=b,c=d')
        .option('-c, --container <name>', 'only this container')
        .option('--image <image>', 'only containers of this image')
        .option('--delay <duration>', 'of slow-node: added to each pull and start')
        .option('--resource <name>', 'of fill-disk: what runs out, bytes or inodes'),
      'the pods',
    ).action(async (word: string, targets: readonly string[], options: FaultOptions) => {
      const wanted = faultOf(word, targets, options)
      if (isEverywhere(wanted) && !options.all)
        throw badRequest(`Where? Name ${WHERE[kindOf(wanted.spec.action)]}, or give --all`)
      const client = await connect(options)
      try {
        const { namespace } = wanted.spec.target ?? {}
        const [nodes, pods] = await Promise.all([
          client.list(nodeKind),
          client.list(podKind, namespace === undefined ? {} : { namespace }),
        ])
        const why = whyOnNothing(wanted, nodes.items, pods.items)
        if (why !== undefined) throw badRequest(why)
        const made = await client.create(faultKind, wanted)
        output.result(
          options.output === 'json'
            ? JSON.stringify(made, undefined, 2)
            : `fault.seamark.dev/${made.metadata.name} created`,
        )
      } finally {
        client.close()
      }
    })
  },
}

function kindOf(action: FaultAction): keyof typeof WHERE {
  if (OF_NODES.has(action)) return 'node'
  return action === 'FailPull' ? 'image' : 'pod'
}

/** The object that a command line stands for. Throws BadRequest for words that mean nothing. */
export function faultOf(
  word: string,
  targets: readonly string[],
  options: Omit<FaultOptions, keyof StatusOptions> & Pick<FaultOptions, 'namespace'>,
): Fault {
  const action = WORDS.get(word)
  if (!action) throw badRequest(`Unknown fault "${word}": give one of ${[...WORDS.keys()].join(', ')}`)
  const kind = kindOf(action)
  const ofNodes = kind === 'node'
  const [one, ...more] = ofNodes ? [] : targets
  if (more.length > 0)
    throw badRequest(
      `Too many ${kind}s: "${more[0]}" is one more than ${word} takes${kind === 'pod' ? '; use --selector' : ''}`,
    )
  const { zone, container, delay, selector, resource } = options
  const pod = kind === 'pod' ? one : undefined
  const image = options.image ?? (kind === 'image' ? one : undefined)
  if (resource !== undefined && resource !== 'bytes' && resource !== 'inodes')
    throw badRequest(`Cannot use --resource "${resource}": give bytes or inodes`)
  const target = {
    ...(ofNodes && targets.length > 0 ? { nodes: targets } : {}),
    ...(zone === undefined ? {} : { zone }),
    ...(pod === undefined ? {} : { pod: pod.replace(/^pods?\//, '') }),
    ...(kind === 'pod' && (pod !== undefined || selector !== undefined)
      ? { namespace: options.namespace }
      : {}),
    ...(selector === undefined ? {} : { podLabels: labelsOf(selector) }),
    ...(container === undefined ? {} : { container }),
    ...(image === undefined ? {} : { image }),
  }
  return {
    apiVersion: 'seamark.dev/v1alpha1',
    kind: 'Fault',
    metadata: { name: '', generateName: `${word}-` },
    spec: {
      action,
      target,
      duration: options.for,
      ...(delay === undefined ? {} : { delay }),
      ...(resource === undefined ? {} : { resource }),
    },
  }
}

function labelsOf(selector: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    selector.split(',').map((part) => {
      const [key = '', value] = part.split('=')
      if (key === '' || value === undefined)
        throw badRequest(`Cannot read the selector "${selector}": give labels as a=b,c=d`)
      return [key, value]
    }),
  )
}
