import type { Command } from 'commander'
import type { Output } from './output.ts'

/** One verb of the command line. `add` declares it; its action sets the exit code through `exit`. */
export interface CommandContext {
  readonly output: Output
  exit(code: number): void
}

export interface CliCommand {
  add(program: Command, context: CommandContext): void
}
