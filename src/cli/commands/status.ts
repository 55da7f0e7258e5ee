import { type Command, Option } from 'commander'
import { findCondition } from '../../api/conditions.ts'
import { type Application, application as applicationKind } from '../../api/kinds/application.ts'
import { connect, findApplication, type ServerOptions, short } from '../applications.ts'
import type { CliCommand } from '../command.ts'
import { formatTable, printable } from '../output.ts'

export function serverOptions(command: Command, namespaceOf = 'the Application'): Command {
  return command
    .option('--data <dir>', 'data directory of the running "seamark up"')
    .option('--kubeconfig <file>', 'kubeconfig to use')
    .option('-n, --namespace <name>', `namespace of ${namespaceOf}`, 'default')
    .addOption(new Option('-o, --output <form>', 'text or json').choices(['text', 'json']).default('text'))
}

export interface StatusOptions extends ServerOptions {
  readonly output: string
  readonly watch?: boolean
}

export const status: CliCommand = {
  add(program, { output, exit }) {
    serverOptions(
      program
        .command('status')
        .description('show Applications, and what each object of one is doing')
        .argument('[application]'),
    )
      .option('-w, --watch', 'go on until it is healthy or has failed')
      .action(async (name: string | undefined, options: StatusOptions) => {
        const client = await connect(options)
        const { items } = await client.list(applicationKind)
        const chosen =
          name === undefined && items.length !== 1
            ? undefined
            : await findApplication(client, name, options.namespace)
        if (!chosen) {
          output.result(
            options.output === 'json'
              ? JSON.stringify(items, undefined, 2)
              : formatTable(
                  ['NAMESPACE', 'NAME', 'SYNCED', 'HEALTHY', 'COMMIT', 'STATUS'],
                  items.map(summary),
                ),
          )
          return
        }
        const show = (application: Application) =>
          output.result(
            options.output === 'json' ? JSON.stringify(application, undefined, 2) : describe(application),
          )
        if (!options.watch) {
          show(chosen)
          exit(isHealthy(chosen) ? 0 : 1)
          return
        }
        const { namespace, name: watched } = chosen.metadata
        let before = ''
        for await (const { type, object } of client.watch(applicationKind, {
          namespace,
          fieldSelector: `metadata.name=${watched}`,
        })) {
          if (type === 'BOOKMARK' || type === 'DELETED') continue
          const text = describe(object as Application)
          if (text !== before) show(object as Application)
          before = text
          const ready = findCondition((object as Application).status?.conditions, 'Ready')
          if (ready?.status === 'Unknown' || !ready) continue
          exit(isHealthy(object as Application) ? 0 : 1)
          break
        }
        client.close()
      })
  },
}

/** Its commit has succeeded, and nothing of it has fallen ill since. */
function isHealthy({ status: is }: Application): boolean {
  return ['Ready', 'Healthy'].every((type) => findCondition(is?.conditions, type)?.status === 'True')
}

/** In a word and a sentence. */
function headline({ status: is }: Application): readonly [string, string] {
  const ready = findCondition(is?.conditions, 'Ready')
  const healthy = findCondition(is?.conditions, 'Healthy')
  if (ready?.status !== 'True')
    return [ready?.status === 'False' ? 'Failed' : 'Progressing', ready?.message ?? '']
  if (healthy?.status === 'False') return [healthy.reason ?? 'Degraded', healthy.message ?? '']
  return ['Healthy', ready.message ?? '']
}

function summary(application: Application): string[] {
  const { metadata, status: is } = application
  const of = (type: string) => findCondition(is?.conditions, type)?.status ?? 'Unknown'
  return [
    metadata.namespace ?? '',
    metadata.name,
    of('Synced'),
    of('Healthy'),
    short(is?.lastAppliedCommit),
    headline(application)[1],
  ]
}

function describe(application: Application): string {
  const { metadata, status: is } = application
  const [word, message] = headline(application)
  const rows = (is?.resources ?? []).map(({ kind, namespace, name, health, file, line }) => [
    kind,
    namespace ?? '',
    name,
    health?.status ?? '',
    `${file ?? ''}:${line ?? ''}`,
    health?.status === 'Healthy' ? '' : (health?.message ?? ''),
  ])
  return [
    `${metadata.namespace}/${metadata.name}   ${word}   ${printable(message)}`,
    `applied ${short(is?.lastAppliedCommit)}   attempted ${short(is?.lastAttemptedCommit)}   last healthy ${short(is?.lastHealthyCommit)}`,
    ...(is?.quarantinedCommits ?? []).map(
      ({ commit, message }) => `quarantined ${short(commit)}: ${printable(message)}`,
    ),
    ...(rows.length > 0
      ? ['', formatTable(['KIND', 'NAMESPACE', 'NAME', 'HEALTH', 'FILE', 'MESSAGE'], rows)]
      : []),
  ].join('\n')
}
