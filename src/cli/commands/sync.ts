import { type Application, application as applicationKind } from '../../api/kinds/application.ts'
import { systemClock } from '../../base/clock.ts'
import type { HttpClient } from '../../client/http-client.ts'
import { connect, findApplication } from '../applications.ts'
import type { CliCommand } from '../command.ts'
import { type StatusOptions, serverOptions } from './status.ts'

const SYNC_REQUESTED = 'seamark.dev/sync-requested-at'

/** Asks for another attempt, also of a commit in quarantine. */
export async function requestSync(
  client: HttpClient,
  { metadata }: Application,
  more: object = {},
): Promise<void> {
  const annotations = { [SYNC_REQUESTED]: String(systemClock.now()) }
  await client.patch(applicationKind, { namespace: metadata.namespace, name: metadata.name }, 'merge', {
    metadata: { annotations },
    ...more,
  })
}

export const syncCommand: CliCommand = {
  add(program, { output }) {
    serverOptions(
      program
        .command('sync')
        .description('try the newest commit again, also one in quarantine')
        .argument('[application]'),
    ).action(async (name: string | undefined, options: StatusOptions) => {
      const client = await connect(options)
      const application = await findApplication(client, name, options.namespace)
      await requestSync(client, application)
      output.result(`application.seamark.dev/${application.metadata.name} sync requested`)
      client.close()
    })
  },
}
