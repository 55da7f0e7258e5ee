import { pod as podKind } from '../../api/kinds/pod.ts'
import { badRequest } from '../../api/status.ts'
import type { Explanation, NodeExplanation } from '../../scheduler/explain.ts'
import { connect } from '../applications.ts'
import type { CliCommand } from '../command.ts'
import { formatTable, printable } from '../output.ts'
import { type StatusOptions, serverOptions } from './status.ts'

export const explain: CliCommand = {
  add(program, { output }) {
    serverOptions(
      program
        .command('explain')
        .description('why a pod goes to its node, or to none: every node, plugin and score')
        .argument('<kind>', 'pod')
        .argument('<name>'),
    ).action(async (kind: string, name: string, options: StatusOptions) => {
      if (!['pod', 'pods', 'po'].includes(kind))
        throw badRequest(`Cannot explain "${kind}": only a pod is scheduled; give pod NAME`)
      const client = await connect(options)
      try {
        const key = { namespace: options.namespace, name }
        const explanation = (await client.createSubresource(podKind, key, 'explain', {})) as Explanation
        output.result(
          options.output === 'json' ? JSON.stringify(explanation, undefined, 2) : text(explanation),
        )
      } finally {
        client.close()
      }
    })
  },
}

function text({ metadata, scheduler, boundTo, message, nodes, ties, changes = [] }: Explanation): string {
  const feasible = nodes.filter(({ fits }) => fits).toSorted((a, b) => (b.total ?? 0) - (a.total ?? 0))
  const rejected = nodes.filter(({ fits }) => !fits)
  const plugins = [...new Set(feasible.flatMap(({ scores = {} }) => Object.keys(scores)))]
  const blocks = [
    `${metadata.namespace}/${metadata.name}   ${boundTo ? `on ${boundTo}` : 'waits for a node'}   ${scheduler}`,
    ...(message === undefined ? [] : [printable(message)]),
    ...(feasible.length === 0
      ? []
      : [
          formatTable(
            ['NODE', 'TOTAL', ...plugins.map((name) => name.toUpperCase())],
            feasible.map(({ name, total, scores = {} }) => [
              ties.includes(name) ? `${name} *` : name,
              String(total ?? 0),
              ...plugins.map((plugin) => String(scores[plugin] ?? 0)),
            ]),
          ),
          `* ${ties.length === 1 ? 'the highest score' : `the highest score: one of these ${ties.length} by chance`}`,
        ]),
    ...(rejected.length === 0
      ? []
      : [formatTable(['NODE', 'PLUGIN', 'REASON'], rejected.flatMap(reasonsOf))]),
    ...(changes.length === 0
      ? []
      : [
          `It would fit after any of these changes:\n${changes
            .map(({ change, nodes: names }) => `  - ${printable(change)}   (${countOf(names)})`)
            .join('\n')}`,
        ]),
  ]
  return blocks.join('\n\n')
}

function reasonsOf({ name, verdicts }: NodeExplanation): string[][] {
  return Object.entries(verdicts)
    .filter(([, verdict]) => verdict !== 'ok')
    .map(([plugin, verdict], i) => [i === 0 ? name : '', plugin, verdict])
}

function countOf(names: readonly string[]): string {
  return names.length === 1 ? `node ${names[0]}` : `${names.length} nodes, such as ${names[0]}`
}
