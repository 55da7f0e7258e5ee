import type { CliCommand } from '../command.ts'
import { diffCommand } from './diff.ts'
import { history } from './history.ts'
import { kubeconfig } from './kubeconfig.ts'
import { rollback } from './rollback.ts'
import { status } from './status.ts'
import { resume, suspend } from './suspend.ts'
import { syncCommand } from './sync.ts'
import { up } from './up.ts'
import { validate } from './validate.ts'

/** In the order `seamark --help` shows them. A new command is one file beside this one and one line here. */
export const commands: readonly CliCommand[] = [
  up,
  validate,
  status,
  history,
  diffCommand,
  syncCommand,
  rollback,
  suspend,
  resume,
  kubeconfig,
]
