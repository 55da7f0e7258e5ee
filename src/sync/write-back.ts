import { mkdir, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { dump } from 'js-yaml'
import type { ApplicationHistory } from '../api/kinds/application.ts'
import type { Place } from './progress.ts'
import type { SourceWriter } from './sources/source.ts'

/** Where the outcome of a commit goes. */
export type StatusMode =
  | { readonly type: 'none' }
  | { readonly type: 'notes' }
  | { readonly type: 'branch'; readonly name: string }
  | { readonly type: 'files'; readonly directory: string }

export interface Outcome extends ApplicationHistory {
  /** "namespace/name" */
  readonly application: string
  readonly places?: readonly Place[] | undefined
  readonly rolledBackTo?: string | undefined
}

/** `--status none|notes|branch:NAME|files:DIR`; undefined when it is none of these. */
export function parseStatusMode(text: string): StatusMode | undefined {
  if (text === 'none' || text === 'notes') return { type: text }
  const [, type, rest] = /^(branch|files):(.+)$/.exec(text) ?? []
  if (type === 'branch') return { type, name: rest ?? '' }
  return type === 'files' ? { type, directory: rest ?? '' } : undefined
}

/** One outcome as people read it in `git notes show`; the YAML below is for programs. No Secret's value is in it. */
export function formatOutcome(outcome: Outcome): string {
  const { application, commit, outcome: ended, reason, message, places = [], rolledBackTo } = outcome
  const lines = [`seamark: ${application} ${ended}${reason ? ` (${reason})` : ''}`]
  if (message) lines.push(message)
  for (const { file, line, column, message: what } of places)
    lines.push(`${file}${line === undefined ? '' : `:${line}:${column}`}: ${what}`)
  if (rolledBackTo)
    lines.push(`Back to ${rolledBackTo}; ${commit.slice(0, 7)} is quarantined until the next commit.`)
  return `${lines.join('\n')}\n\n${dump(withoutUndefined(outcome))}`
}

function withoutUndefined(value: object): object {
  return JSON.parse(JSON.stringify(value)) as object
}

export async function writeOutcome(
  mode: StatusMode,
  writer: SourceWriter | undefined,
  outcome: Outcome,
): Promise<void> {
  const text = formatOutcome(outcome)
  const path = `${outcome.application}.yaml`
  switch (mode.type) {
    case 'none':
      return
    case 'notes':
      await writer?.note(outcome.commit, text)
      return
    case 'branch':
      await writer?.writeBranch(
        mode.name,
        new Map([[path, dump(withoutUndefined(outcome))]]),
        `${outcome.application}: ${outcome.commit.slice(0, 7)} ${outcome.outcome}`,
      )
      return
    case 'files': {
      const file = join(mode.directory, path)
      await mkdir(dirname(file), { recursive: true })
      await writeFile(`${file}.part`, dump(withoutUndefined(outcome)))
      await rename(`${file}.part`, file)
    }
  }
}
