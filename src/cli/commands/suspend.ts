import { application as applicationKind } from '../../api/kinds/application.ts'
import { connect, findApplication } from '../applications.ts'
import type { CliCommand } from '../command.ts'
import { type StatusOptions, serverOptions } from './status.ts'

function setting(verb: 'suspend' | 'resume', description: string): CliCommand {
  return {
    add(program, { output }) {
      serverOptions(program.command(verb).description(description).argument('[application]')).action(
        async (name: string | undefined, options: StatusOptions) => {
          const client = await connect(options)
          const { metadata } = await findApplication(client, name, options.namespace)
          const key = { namespace: metadata.namespace, name: metadata.name }
          await client.patch(applicationKind, key, 'merge', { spec: { suspend: verb === 'suspend' } })
          output.result(
            `application.seamark.dev/${metadata.name} ${verb === 'suspend' ? 'suspended' : 'resumed'}`,
          )
          client.close()
        },
      )
    },
  }
}

export const suspend = setting('suspend', 'leave everything as it is until resume')
export const resume = setting('resume', 'follow the source again')
