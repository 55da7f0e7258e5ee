import { badRequest } from '../../api/status.ts'
import { connect, findApplication, short } from '../applications.ts'
import type { CliCommand } from '../command.ts'
import { type StatusOptions, serverOptions } from './status.ts'
import { requestSync } from './sync.ts'

export const rollback: CliCommand = {
  add(program, { output }) {
    serverOptions(
      program
        .command('rollback')
        .description('pin an Application to an earlier commit (default: the healthy one before)')
        .argument('[application]'),
    )
      .option('--to <commit>', 'a commit of the history')
      .action(async (name: string | undefined, options: StatusOptions & { readonly to?: string }) => {
        const client = await connect(options)
        const application = await findApplication(client, name, options.namespace)
        const { history = [], lastAppliedCommit } = application.status ?? {}
        const healthy = history.filter(
          ({ outcome, commit }) => outcome === 'Healthy' && commit !== lastAppliedCommit,
        )
        const target =
          options.to === undefined
            ? healthy[0]?.commit
            : history.find(({ commit }) => commit.startsWith(options.to ?? ''))?.commit
        if (target === undefined) {
          throw badRequest(
            options.to === undefined
              ? 'There is no earlier healthy commit in the history'
              : `Commit "${options.to}" is not in the history; see seamark history`,
          )
        }
        await requestSync(client, application, { spec: { source: { commit: target } } })
        output.result(
          `application.seamark.dev/${application.metadata.name} pinned to ${short(target)}; follow the branch again with: kubectl patch application ${application.metadata.name} --type=merge -p '{"spec":{"source":{"commit":null}}}'`,
        )
        client.close()
      })
  },
}
