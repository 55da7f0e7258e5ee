import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect } from 'vitest'
import { kubectl, type Ran } from './kubectl.ts'
import {
  type Repository,
  repositoryAt,
  type Seamark,
  startSeamark,
  temporaryFolder,
} from './seamark-events.ts'

/** A real `seamark up` on a repository of its own. */
export interface E2eCluster {
  /** Where the repository is; other files may lie beside it. */
  readonly folder: string
  /** These two from the first hook on. */
  readonly repository: Repository
  readonly seamark: Seamark
  /** kubectl, by words with a space between them where no word has one. */
  run(args: string | readonly string[], input?: string): Promise<Ran>
  /** What it prints; it must succeed. */
  ok(args: string | readonly string[], input?: string): Promise<string>
}

/** For the tests of the `describe` it is called in: healthy before they begin, ended and gone after the last one. */
export function e2eCluster(
  repositoryIn: (folder: string) => Repository,
  args: readonly string[] = [],
): E2eCluster {
  const folder = temporaryFolder()
  let repository: Repository
  let seamark: Seamark | undefined
  beforeAll(async () => {
    repository = repositoryIn(folder.path)
    seamark = startSeamark(repository.path, args)
    await seamark.until(({ type }) => type === 'healthy')
  })
  afterAll(async () => {
    seamark?.signal('SIGTERM')
    await seamark?.ended
    folder.remove()
  })
  const cluster: E2eCluster = {
    folder: folder.path,
    get repository() {
      return repository
    },
    get seamark() {
      if (!seamark) throw new Error('the cluster has not been started yet')
      return seamark
    },
    run: (words, input) =>
      kubectl(
        cluster.seamark.kubeconfig,
        typeof words === 'string' ? words.split(' ') : words,
        input === undefined ? {} : { input },
      ),
    async ok(words, input) {
      const ran = await cluster.run(words, input)
      expect(ran.code, `kubectl ${typeof words === 'string' ? words : words.join(' ')}: ${ran.stderr}`).toBe(
        0,
      )
      return ran.stdout
    },
  }
  return cluster
}

/** A repository of these files, in one commit. */
export function repositoryOf(parent: string, files: Readonly<Record<string, string>>): Repository {
  const path = join(parent, 'cluster')
  mkdirSync(path)
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text)
  const repository = repositoryAt(path)
  repository.git('init', '-q', '-b', 'main')
  repository.commit('A cluster')
  return repository
}
