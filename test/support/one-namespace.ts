import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Repository, repositoryAt } from './seamark-events.ts'

/** A repository that declares two nodes and one namespace: a cluster for tests whose clients do the rest. */
export function oneNamespace(parent: string, name: string, more = ''): Repository {
  const path = join(parent, 'cluster')
  mkdirSync(path)
  const pool =
    'apiVersion: seamark.dev/v1alpha1\nkind: NodePool\nmetadata: {name: worker}\nspec: {count: 2, runtime: simulated}\n'
  const namespace = `apiVersion: v1\nkind: Namespace\nmetadata: {name: ${name}}\n`
  writeFileSync(join(path, 'cluster.yaml'), [pool, namespace, ...(more ? [more] : [])].join('---\n'))
  const repository = repositoryAt(path)
  repository.git('init', '-q', '-b', 'main')
  repository.commit('A cluster')
  return repository
}
