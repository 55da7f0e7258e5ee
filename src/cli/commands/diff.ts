import { createTwoFilesPatch } from 'diff'
import { dump } from 'js-yaml'
import { kinds } from '../../api/kinds/index.ts'
import type { AnyResource } from '../../api/resource.ts'
import { systemClock } from '../../base/clock.ts'
import { diff } from '../../sync/apply.ts'
import { renderPlain } from '../../sync/renderers/plain.ts'
import { openSource } from '../../sync/sources/index.ts'
import { titleOf, waveOf } from '../../sync/target.ts'
import { connect, findApplication } from '../applications.ts'
import type { CliCommand } from '../command.ts'
import { type StatusOptions, serverOptions } from './status.ts'

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
        if (errors.length > 0) return exit(2)
        const targets = manifests.flatMap((manifest) => {
          const kind = kinds.find((candidate) => candidate.kind === manifest.object.kind)
          if (!kind) return []
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
              live ? shown(live) : '',
              shown(wanted),
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

function shown(resource: AnyResource): string {
  const {
    managedFields: _fields,
    resourceVersion: _revision,
    uid: _uid,
    creationTimestamp: _time,
    generation: _generation,
    ...metadata
  } = resource.metadata
  const { status: _status, ...rest } = resource
  const masked =
    resource.kind === 'Secret'
      ? {
          data: Object.fromEntries(
            Object.keys((resource['data'] as object | undefined) ?? {}).map((key) => [key, '***']),
          ),
        }
      : {}
  return dump({ ...rest, ...masked, metadata }, { sortKeys: true })
}
