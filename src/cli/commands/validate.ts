import { existsSync, statSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { namespace as namespaceKind } from '../../api/kinds/namespace.ts'
import { badRequest } from '../../api/status.ts'
import { systemClock } from '../../base/clock.ts'
import { createEnv } from '../../base/env.ts'
import { startControlPlane } from '../../control-plane.ts'
import { reports } from '../../review/reports/index.ts'
import { validate as review } from '../../review/validate.ts'
import { openSource } from '../../sync/sources/index.ts'
import type { CliCommand } from '../command.ts'

interface ValidateOptions {
  readonly output: string[]
  readonly failOn: string
}

export const validate: CliCommand = {
  add(program, { output, exit }) {
    program
      .command('validate')
      .description('would these manifests be accepted, and run? 0 clean, 1 findings, 2 unreadable input')
      .argument('[path]', 'folder or file', '.')
      .option(
        '-o, --output <format[=file]>',
        'text or json; repeatable',
        (value: string, all: string[]) => [...all, value],
        [] as string[],
      )
      .option('--fail-on <severity>', 'error or warning', 'error')
      .action(async (path: string, options: ValidateOptions) => {
        if (options.failOn !== 'error' && options.failOn !== 'warning')
          throw badRequest(`Cannot use --fail-on "${options.failOn}": give error or warning`)
        const formats = (options.output.length > 0 ? options.output : ['text']).map((text) => {
          const [name = '', file] = text.split('=')
          const report = Object.hasOwn(reports, name) ? reports[name] : undefined
          if (!report) throw badRequest(`Cannot write "${name}": give ${Object.keys(reports).join(' or ')}`)
          return { report, file }
        })
        if (!existsSync(path)) throw badRequest(`Cannot read "${path}": there is no such file or folder`)
        const isFile = statSync(path).isFile()
        const source = openSource(systemClock, isFile ? dirname(resolve(path)) : path, {
          worktree: true,
          cacheDirectory: '.seamark',
          intervalMs: 60_000,
        })
        const commit = await source.latest()
        const all = commit ? await source.files(commit.id) : []
        const files = isFile
          ? all.filter(({ path: file }) => resolve(dirname(resolve(path)), file) === resolve(path))
          : all
        const plane = await startControlPlane(createEnv(), {
          store: 'memory',
          parts: { controllers: false, scheduler: false, nodes: false },
        })
        try {
          await plane.client.create(namespaceKind, {
            apiVersion: 'v1',
            kind: 'Namespace',
            metadata: { name: 'default' },
            spec: {},
          })
          const result = await review(plane.client, files)
          if (result.objects === 0 && result.findings.length === 0)
            throw badRequest(`No manifest found in "${path}"`)
          for (const { report, file } of formats) {
            if (file === undefined) output.result(report(result))
            else writeFileSync(file, `${report(result)}\n`)
          }
          const isFailed = result.findings.some(
            ({ severity }) => severity === 'error' || options.failOn === 'warning',
          )
          exit(result.findings.some(({ rule }) => rule === 'unreadable') ? 2 : isFailed ? 1 : 0)
        } finally {
          await plane.stop()
        }
      })
  },
}
