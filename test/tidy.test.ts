import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  forbiddenNames,
  impureApi,
  notListed,
  type SourceFile,
  tooLong,
  touchesTime,
  wrongImports,
} from './support/tidy.ts'

const files: SourceFile[] = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts') && !path.startsWith('api/generated/'))
  .map((path) => ({ path: join('src', path), text: readFileSync(join('src', path), 'utf8') }))
const shipped = files.filter(({ path }) => !path.endsWith('.test.ts'))

describe('the tree', () => {
  test('imports only down the layers', () => expect(wrongImports(shipped)).toEqual([]))
  test('keeps src/api pure', () => expect(impureApi(shipped)).toEqual([]))
  test('lists every file of an extensible folder in its index', () => expect(notListed(shipped)).toEqual([]))
  test('has no drawers', () => expect(forbiddenNames(files)).toEqual([]))
  test('has no file of more than 400 lines', () => expect(tooLong(shipped)).toEqual([]))
  test('takes time and chance as arguments', () => expect(touchesTime(shipped)).toEqual([]))
})

describe('a planted violation is caught', () => {
  const plant = (path: string, text: string): SourceFile => ({ path, text })

  test.each([
    ['a peer that imports a peer', 'src/sync/a.ts', "import { x } from '../scheduler/decide.ts'\n"],
    [
      'a lower layer that imports a higher one',
      'src/api/a.ts',
      "import type { Client } from '../client/client.ts'\n",
    ],
    [
      'a peer that imports the control plane',
      'src/nodes/a.ts',
      "import { start } from '../control-plane.ts'\n",
    ],
    ['an import split over lines', 'src/base/a.ts', "import {\n  x,\n} from '../api/kind.ts'\n"],
    ['a dynamic import', 'src/controllers/a.ts', "const x = await import('../apiserver/server.ts')\n"],
    ['a file in no layer', 'src/extra/a.ts', ''],
  ])('%s', (_, path, text) => expect(wrongImports([plant(path, text)])).toHaveLength(1))

  test('an import that is allowed is not', () =>
    expect(wrongImports([plant('src/sync/a.ts', "import { x } from '../client/client.ts'\n")])).toEqual([]))

  test.each([
    ['a node module in api', "import { readFileSync } from 'node:fs'\n"],
    ['an async function in api', 'export async function f() {}\n'],
  ])('%s', (_, text) => expect(impureApi([plant('src/api/a.ts', text)])).toHaveLength(1))

  test('a kind that is not listed', () =>
    expect(
      notListed(
        [
          plant('src/api/kinds/index.ts', "import { a } from './a.ts'\n"),
          plant('src/api/kinds/a.ts', ''),
          plant('src/api/kinds/b.ts', ''),
        ],
        ['src/api/kinds'],
      ),
    ).toEqual(['add src/api/kinds/b.ts to src/api/kinds/index.ts']))

  test.each(['src/base/utils.ts', 'src/common/a.ts', 'src/sync/helpers/a.ts', 'src/api/types.ts'])(
    'the drawer %s',
    (path) => expect(forbiddenNames([plant(path, '')])).toHaveLength(1),
  )

  test('a file of 401 lines', () =>
    expect(tooLong([plant('src/base/a.ts', '\n'.repeat(400))])).toHaveLength(1))

  test.each(['Date.now()', 'new Date()', 'setTimeout(f, 1)', 'Math.random()', 'performance.now()'])(
    '%s',
    (use) => expect(touchesTime([plant('src/sync/a.ts', `const x = ${use}\n`)])).toHaveLength(1),
  )

  test('but not a mention in a comment or a string', () =>
    expect(touchesTime([plant('src/sync/a.ts', "// Date.now()\nconst x = 'setTimeout'\n")])).toEqual([]))
})
