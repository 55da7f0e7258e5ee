import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { diskCopies, filesFor } from './healthy-copies.ts'

const named = (...paths: string[]) => paths.map((path) => ({ path, text: path }))

describe('A copy of the last healthy commit', () => {
  const all = named(
    '.seamarkignore',
    'README.yaml',
    'apps/.seamarkignore',
    'apps/kustomization.yaml',
    'apps/shop/a.yaml',
    'apps/shop/deep/b.yaml',
    'apps/shopping/c.yaml',
    'infra/.seamarkignore',
  )
  test.each([
    ['.', all.map(({ path }) => path)],
    ['', all.map(({ path }) => path)],
    [
      './apps/shop/',
      [
        '.seamarkignore',
        'apps/.seamarkignore',
        'apps/kustomization.yaml',
        'apps/shop/a.yaml',
        'apps/shop/deep/b.yaml',
      ],
    ],
    ['infra', ['.seamarkignore', 'infra/.seamarkignore']],
  ])('of the path "%s" holds what rendering it needs', (path, expected) =>
    expect(filesFor(all, path).map((file) => file.path)).toEqual(expected),
  )

  test('is private to its owner, and is given back for its own commit only', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'seamark-copies-'))
    try {
      const files = named('a.yaml')
      await diskCopies(folder).save('default/shop', 'c1', files)
      const again = diskCopies(folder)
      expect(await again.load('default/shop', 'c1')).toEqual(files)
      expect(await again.load('default/shop', 'c2')).toBeUndefined()
      expect(await again.load('default/other', 'c1')).toBeUndefined()
      const [name = ''] = await readdir(folder)
      expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600)
      expect(await readFile(join(folder, name), 'utf8')).toContain('a.yaml')
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})
