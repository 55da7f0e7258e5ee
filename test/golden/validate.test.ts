import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { textReport } from '../../src/review/reports/text.ts'
import { validate } from '../../src/review/validate.ts'
import { createTestCluster } from '../support/cluster.ts'

/** Each folder is a set of manifests, and expected.txt what `seamark validate` says of it; UPDATE=1 rewrites them. */
const ROOT = join(import.meta.dirname, 'validate')
const cases = readdirSync(ROOT)

describe('validate says', () => {
  test.each(cases)('%s', async (name) => {
    const folder = join(ROOT, name)
    const expected = join(folder, 'expected.txt')
    const text = `${textReport(await validateFolder(folder))}\n`
    if (process.env['UPDATE'] || !existsSync(expected)) writeFileSync(expected, text)
    expect(text).toBe(readFileSync(expected, 'utf8'))
  })

  test('the same thing twice', async () => {
    const folder = join(ROOT, 'does-not-fit')
    expect(await validateFolder(folder)).toEqual(await validateFolder(folder))
  })

  test('that the example repository is clean', async () => {
    const review = await validateFolder(join(import.meta.dirname, '../../examples/cluster-repo'))
    expect(review.findings).toEqual([])
    expect(review.objects).toBeGreaterThan(20)
  })
})

async function validateFolder(folder: string) {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.yaml'))
    .sort()
    .map((path) => ({ path, text: readFileSync(join(folder, path), 'utf8') }))
  const cluster = await createTestCluster()
  try {
    return await validate(cluster.client, files)
  } finally {
    await cluster.close()
  }
}
