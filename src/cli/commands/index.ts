import type { CliCommand } from '../command.ts'

/** Loaded only when it is the one that was asked for: what a command needs, the others need not wait for. */
export interface ListedCommand {
  readonly name: string
  load(): Promise<CliCommand>
}

/** In the order `seamark --help` shows them. A new command is one file beside this one and one line here. */
export const commands: readonly ListedCommand[] = [
  { name: 'up', load: async () => (await import('./up.ts')).up },
  { name: 'validate', load: async () => (await import('./validate.ts')).validate },
  { name: 'status', load: async () => (await import('./status.ts')).status },
  { name: 'history', load: async () => (await import('./history.ts')).history },
  { name: 'diff', load: async () => (await import('./diff.ts')).diffCommand },
  { name: 'sync', load: async () => (await import('./sync.ts')).syncCommand },
  { name: 'rollback', load: async () => (await import('./rollback.ts')).rollback },
  { name: 'suspend', load: async () => (await import('./suspend.ts')).suspend },
  { name: 'resume', load: async () => (await import('./suspend.ts')).resume },
  { name: 'explain', load: async () => (await import('./explain.ts')).explain },
  { name: 'fault', load: async () => (await import('./fault.ts')).faultCommand },
  { name: 'kubeconfig', load: async () => (await import('./kubeconfig.ts')).kubeconfig },
]
