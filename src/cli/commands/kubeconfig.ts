import { readFileSync } from 'node:fs'
import { readKubeconfig } from '../../client/kubeconfig.ts'
import { kubeconfigPath, type ServerOptions } from '../applications.ts'
import type { CliCommand } from '../command.ts'

export const kubeconfig: CliCommand = {
  add(program, { output }) {
    program
      .command('kubeconfig')
      .description(
        'print the kubeconfig of the running server; export KUBECONFIG=$(seamark kubeconfig --path)',
      )
      .option('--data <dir>', 'data directory of the running "seamark up"')
      .option('--path', 'print where it is instead')
      .action(async (options: Pick<ServerOptions, 'data'> & { readonly path?: boolean }) => {
        const path = kubeconfigPath(options)
        // Says what to do when there is none, or it cannot be read.
        await readKubeconfig(path)
        output.result(options.path ? path : readFileSync(path, 'utf8').trimEnd())
      })
  },
}
