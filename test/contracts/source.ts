import { describe, expect, test } from 'vitest'
import { isReason } from '../../src/api/status.ts'
import type { Source } from '../../src/sync/sources/source.ts'

/** A source with a way to change what is behind it. */
export interface SourceUnderTest {
  readonly source: Source
  /** Makes this the whole content, and waits until that is the newest commit. */
  change(files: Readonly<Record<string, string>>): Promise<void>
  close(): Promise<void>
}

/** What every source promises (src/sync/sources/source.ts). */
export function sourceContract(name: string, open: () => Promise<SourceUnderTest>): void {
  describe(`Source contract: ${name}`, () => {
    const using = (work: (subject: SourceUnderTest) => Promise<void>) => async () => {
      const subject = await open()
      try {
        await work(subject)
      } finally {
        await subject.source.close()
        await subject.close()
      }
    }
    const newest = async ({ source }: SourceUnderTest) => {
      const commit = await source.latest()
      if (!commit) throw new Error('There is a commit')
      return commit
    }

    test(
      'has nothing to apply before there is anything',
      using(async ({ source }) => {
        expect(await source.latest()).toBeUndefined()
      }),
    )

    test(
      'gives the manifest files of the newest commit, sorted, and no others',
      using(async (subject) => {
        await subject.change({
          'b/c.yml': 'b: 1',
          'a.yaml': 'a: 1',
          'x.json': '{}',
          'README.md': '#',
          '.seamarkignore': 'x',
        })
        const { id } = await newest(subject)
        expect(await subject.source.files(id)).toEqual([
          { path: '.seamarkignore', text: 'x' },
          { path: 'a.yaml', text: 'a: 1' },
          { path: 'b/c.yml', text: 'b: 1' },
          { path: 'x.json', text: '{}' },
        ])
      }),
    )

    test(
      'names a change by another id, and still has the commit before',
      using(async (subject) => {
        await subject.change({ 'a.yaml': 'a: 1' })
        const first = await newest(subject)
        await subject.change({ 'a.yaml': 'a: 2' })
        const second = await newest(subject)
        expect(second.id).not.toBe(first.id)
        expect((await subject.source.files(first.id))[0]?.text).toBe('a: 1')
        expect((await subject.source.files(second.id))[0]?.text).toBe('a: 2')
      }),
    )

    test(
      'answers the same as long as nothing changes, and gives the very same files',
      using(async (subject) => {
        await subject.change({ 'a.yaml': 'a: 1', 'b.yaml': 'b: 1' })
        const first = await newest(subject)
        expect(await newest(subject)).toEqual(first)
        const before = await subject.source.files(first.id)
        await subject.change({ 'a.yaml': 'a: 1', 'b.yaml': 'b: 2' })
        const after = await subject.source.files((await newest(subject)).id)
        expect(after[0]).toBe(before[0])
      }),
    )

    test(
      'refuses what is not UTF-8 by file, and takes a byte order mark away',
      using(async (subject) => {
        await subject.change({ 'bom.yaml': '\ufeffa: 1' })
        expect((await subject.source.files((await newest(subject)).id))[0]?.text).toBe('a: 1')
      }),
    )

    test(
      'says of an unknown commit that it is not there',
      using(async (subject) => {
        await subject.change({ 'a.yaml': 'a: 1' })
        await newest(subject)
        const unknown = await subject.source.files('f'.repeat(40)).catch((error: unknown) => error)
        expect(isReason(unknown, 'NotFound') || isReason(unknown, 'InternalError')).toBe(true)
      }),
    )
  })
}
