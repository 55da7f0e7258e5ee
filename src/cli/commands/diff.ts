import { existsSync } from 'node:fs'
import { createTwoFilesPatch } from 'diff'
import { dump } from 'js-yaml'
import { kinds } from '../../api/kinds/index.ts'
import { type AnyResource, parseApiVersion } from '../../api/resource.ts'
import { badRequest } from '../../api/status.ts'
import { systemClock } from '../../base/clock.ts'
import { diff } from '../../sync/apply.ts'
import { renderPlain } from '../../sync/renderers/plain.ts'
import { openSource } from '../../sync/sources/index.ts'
import { titleOf, waveOf } from '../../sync/target.ts'
import { connect, findApplication } from '../applications.ts'
import type { CliCommand } from '../command.ts'
import { type StatusOptions, serverOptions } from './status.ts'

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

/** What the files of a folder would change in the running cluster, asked of its API; Secrets are masked. */
export const diffCommand: CliCommand = {
  add(program, { output, exit }) {
    serverOptions(
      program
        .command('diff')
        .description('what the files on disk would change in the cluster (exit 1: something)')
        .argument('[folder]', 'folder with manifests', '.'),
    )
      .option('--application <name>', 'the Application they belong to')
      .action(async (folder: string, options: StatusOptions & { readonly application?: string }) => {
        if (!existsSync(folder)) throw badRequest(`Cannot read "${folder}": there is no such folder`)
        const client = await connect(options)
        const application = await findApplication(client, options.application, options.namespace)
        const source = openSource(systemClock, folder, {
          worktree: true,
          cacheDirectory: '.seamark',
          intervalMs: 60_000,
        })
        const commit = await source.latest()
        const { manifests, errors } = renderPlain(
          commit ? await source.files(commit.id) : [],
          application.spec.source?.path ?? '.',
        )
        for (const { file, line, column, message } of errors)
          output.error(`${file}:${line ?? 1}:${column ?? 1}: ${message}`)
        let isUnreadable = errors.length > 0
        const targets = manifests.flatMap((manifest) => {
          const { apiVersion, kind: name } = manifest.object
          const { group, version } = parseApiVersion(apiVersion)
          const kind = kinds.find(
            (each) => each.kind === name && each.group === group && each.version === version,
          )
          if (!kind) {
            output.error(`${manifest.file}:${manifest.line}: no kind "${name}" in version "${apiVersion}"`)
            isUnreadable = true
            return []
          }
          const metadata =
            kind.scope === 'Namespaced'
              ? { ...manifest.object.metadata, namespace: manifest.object.metadata.namespace ?? 'default' }
              : manifest.object.metadata
          return [
            {
              manifest,
              kind,
              object: { ...manifest.object, metadata } as AnyResource,
              wave: waveOf(manifest.object, kind),
            },
          ]
        })
        if (isUnreadable) return exit(2)
        const { entries, refused } = await diff(
          client,
          targets,
          `${application.metadata.namespace}/${application.metadata.name}`,
        )
        for (const { places, message } of refused)
          for (const place of places)
            output.error(`${place.file}:${place.line}:${place.column}: ${place.message || message}`)
        const changed = entries.filter(({ change }) => change !== 'unchanged')
        for (const { target, live, wanted } of changed) {
          output.result(
            createTwoFilesPatch(
              `live ${titleOf(target.object)}`,
              `${target.manifest.file}:${target.manifest.line}`,
              live ? shown(live, wanted, 'before') : '',
              shown(wanted, live, 'after'),
              undefined,
              undefined,
              { context: 3 },
            ),
          )
        }
        client.close()
        exit(refused.length > 0 ? 2 : changed.length > 0 ? 1 : 0)
      })
  },
}

function shown(resource: AnyResource, other: AnyResource | undefined, word: string): string {
  const {
    managedFields: _fields,
    resourceVersion: _revision,
    uid: _uid,
    creationTimestamp: _time,
    generation: _generation,
    annotations = {},
    ...metadata
  } = resource.metadata
  const { status: _status, ...rest } = resource
  // Holds all of a Secret once more.
  const { [LAST_APPLIED]: _applied, ...told } = annotations
  const masked = resource.kind === 'Secret' ? { data: maskedData(resource, other, word) } : {}
  return dump({ ...rest, ...masked, metadata: { ...metadata, annotations: told } }, { sortKeys: true })
}

/** As kubectl diff: values are never shown, only that they differ. */
function maskedData(secret: AnyResource, other: AnyResource | undefined, word: string): object {
  const before = dataOf(other)
  return Object.fromEntries(
    Object.entries(dataOf(secret)).map(([key, value]) => [
      key,
      key in before && before[key] !== value ? `*** (${word})` : '***',
    ]),
  )
}

function dataOf(secret: AnyResource | undefined): Readonly<Record<string, unknown>> {
  return (secret?.['data'] ?? {}) as Readonly<Record<string, unknown>>
}
