import { connect, findApplication, short } from '../applications.ts'
import type { CliCommand } from '../command.ts'
import { formatTable } from '../output.ts'
import { type StatusOptions, serverOptions } from './status.ts'

export const history: CliCommand = {
  add(program, { output }) {
    serverOptions(
      program
        .command('history')
        .description('the last commits of an Application and how they ended')
        .argument('[application]'),
    ).action(async (name: string | undefined, options: StatusOptions) => {
      const application = await findApplication(await connect(options), name, options.namespace)
      const entries = application.status?.history ?? []
      if (options.output === 'json') return output.result(JSON.stringify(entries, undefined, 2))
      const rows = entries.map(({ commit, subject, outcome, startedAt, message }) => [
        short(commit),
        outcome,
        startedAt,
        subject,
        message ?? '',
      ])
      output.result(formatTable(['COMMIT', 'OUTCOME', 'STARTED', 'SUBJECT', 'MESSAGE'], rows))
    })
  },
}
