import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { SourceFile } from './sources/source.ts'

/** The files of each application's last healthy commit: the way back when the source has lost that commit. */
export interface HealthyCopies {
  save(application: string, commit: string, files: readonly SourceFile[]): Promise<void>
  load(application: string, commit: string): Promise<readonly SourceFile[] | undefined>
}

/**
 * What rendering a path needs of a source: the files below it, and those above that say how folders are read (ignore
 * files, charts and kustomizations). A thousand applications keep one repository, not a thousand.
 */
export function filesFor(files: readonly SourceFile[], path: string): readonly SourceFile[] {
  const prefix = path.replace(/^(\.\/)+/, '').replace(/\/+$/, '')
  if (prefix === '' || prefix === '.') return files
  return files.filter(({ path: file }) => {
    if (file.startsWith(`${prefix}/`)) return true
    const folder = file.slice(0, file.lastIndexOf('/') + 1)
    return `${prefix}/`.startsWith(folder) && SAYS_HOW.test(file.slice(folder.length))
  })
}

const SAYS_HOW = /^(\.seamarkignore|Chart\.ya?ml|kustomization\.ya?ml)$/

export function memoryCopies(): HealthyCopies {
  const copies = new Map<string, { readonly commit: string; readonly files: readonly SourceFile[] }>()
  return {
    async save(application, commit, files) {
      copies.set(application, { commit, files })
    },
    async load(application, commit) {
      const copy = copies.get(application)
      return copy?.commit === commit ? copy.files : undefined
    },
  }
}

/** On disk, one file an application, readable by its owner only: manifests hold Secrets. Written beside and renamed. */
export function diskCopies(directory: string): HealthyCopies {
  const pathOf = (application: string) => join(directory, `${application.replace('/', '_')}.json`)
  const written = new Map<string, string>()
  return {
    async save(application, commit, files) {
      if (written.get(application) === commit) return
      const path = pathOf(application)
      await mkdir(dirname(path), { recursive: true, mode: 0o700 })
      await writeFile(`${path}.part`, JSON.stringify({ commit, files }), { mode: 0o600 })
      await rename(`${path}.part`, path)
      written.set(application, commit)
    },
    async load(application, commit) {
      try {
        const copy = JSON.parse(await readFile(pathOf(application), 'utf8')) as {
          readonly commit: string
          readonly files: readonly SourceFile[]
        }
        return copy.commit === commit ? copy.files : undefined
      } catch {
        return undefined
      }
    },
  }
}
