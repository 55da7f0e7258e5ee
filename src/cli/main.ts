#!/usr/bin/env node
import { Command, CommanderError } from 'commander'
import { ApiError } from '../api/status.ts'
import { commands } from './commands/index.ts'
import { createOutput } from './output.ts'
import { VERSION } from './version.ts'

const output = createOutput()
const program = new Command('seamark')
  .description('Point it at a repository of Kubernetes manifests and it is the cluster')
  .version(VERSION)
  .option('--debug', 'show where an unexpected error comes from')
  .exitOverride()
  .showHelpAfterError('(see seamark --help)')

const context = {
  output,
  exit: (code: number) => {
    process.exitCode = code
  },
}
const asked = commands.find(
  ({ name }) => name === process.argv.slice(2).find((word) => !word.startsWith('-')),
)
for (const { load } of asked ? [asked] : commands) (await load()).add(program, context)

try {
  await program.parseAsync(process.argv)
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2
  else {
    output.error((error as Error).message)
    if (program.opts<{ readonly debug?: boolean }>().debug) output.progress(String((error as Error).stack))
    process.exitCode = exitCodeOf(error)
  }
}

/** 2 for what the user gave (usage, a path that is not there), 1 for what went wrong. */
function exitCodeOf(error: unknown): number {
  return error instanceof ApiError && (error.reason === 'BadRequest' || error.reason === 'NotFound') ? 2 : 1
}
