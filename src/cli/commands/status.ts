import type { Command } from 'commander'
import { findCondition } from '../../api/conditions.ts'
import { type Application, application as applicationKind } from '../../api/kinds/application.ts'
import { connect, findApplication, type ServerOptions, short } from '../applications.ts'
import type { CliCommand } from '../command.ts'
import { formatTable, printable } from '../output.ts'

export function serverOptions(command: Command): Command {
  return command
    .option('--data <dir>', 'data directory of the running "seamark up"')
    .option('--kubeconfig <file>', 'kubeconfig to use')
    .option('-n, --namespace <name>', 'namespace of the Application', 'default')
    .option('-o, --output <form>', 'text or json', 'text')
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
          exit(ready.status === 'True' ? 0 : 1)
          break
        }
        client.close()
      })
  },
}

function isHealthy({ status: is }: Application): boolean {
  return findCondition(is?.conditions, 'Ready')?.status === 'True'
}

function summary({ metadata, status: is }: Application): string[] {
  const of = (type: string) => findCondition(is?.conditions, type)?.status ?? 'Unknown'
  return [
    metadata.namespace ?? '',
    metadata.name,
    of('Synced'),
    of('Healthy'),
    short(is?.lastAppliedCommit),
    findCondition(is?.conditions, 'Ready')?.message ?? '',
  ]
}

function describe({ metadata, status: is }: Application): string {
  const ready = findCondition(is?.conditions, 'Ready')
  const rows = (is?.resources ?? []).map(({ kind, namespace, name, health, file, line }) => [
    kind,
    namespace ?? '',
    name,
    health?.status ?? '',
    `${file ?? ''}:${line ?? ''}`,
    health?.status === 'Healthy' ? '' : (health?.message ?? ''),
  ])
  return [
    `${metadata.namespace}/${metadata.name}   ${ready?.status === 'True' ? 'Healthy' : ready?.status === 'False' ? 'Failed' : 'Progressing'}   ${printable(ready?.message ?? '')}`,
    `applied ${short(is?.lastAppliedCommit)}   attempted ${short(is?.lastAttemptedCommit)}   last healthy ${short(is?.lastHealthyCommit)}`,
    ...(is?.quarantinedCommits ?? []).map(
      ({ commit, message }) => `quarantined ${short(commit)}: ${printable(message)}`,
    ),
    ...(rows.length > 0
      ? ['', formatTable(['KIND', 'NAMESPACE', 'NAME', 'HEALTH', 'FILE', 'MESSAGE'], rows)]
      : []),
  ].join('\n')
}
