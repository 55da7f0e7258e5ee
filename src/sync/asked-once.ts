import type { Cancel } from '../base/clock.ts'
import type { CommitInfo } from './progress.ts'
import type { Source, SourceFile } from './sources/source.ts'

/** Commits whose files are kept: the newest, the one before, and a way back. */
const KEPT_MAX = 4

/**
 * One source for many applications: questions asked at the same time are asked once, and the files of the last few
 * commits are read once. A thousand applications on one repository cost one walk, and one watch, of it.
 */
export function sharedSource(source: Source): Source {
  let asking: Promise<CommitInfo | undefined> | undefined
  const read = new Map<string, Promise<readonly SourceFile[]>>()
  const listeners = new Set<() => void>()
  let unwatch: Cancel = () => {}
  return {
    description: source.description,
    location: source.location,
    // Asked each time: a folder may turn out to be a repository later.
    get writer() {
      return source.writer
    },
    latest() {
      asking ??= source.latest().finally(() => {
        asking = undefined
      })
      return asking
    },
    files(commit) {
      let files = read.get(commit)
      if (!files) {
        files = source.files(commit)
        read.set(commit, files)
        // What failed is asked again.
        files.catch(() => read.delete(commit))
        const [oldest] = read.keys()
        if (read.size > KEPT_MAX && oldest !== undefined) read.delete(oldest)
      }
      return files
    },
    onChange(tell) {
      // Its own function, so that the same one given twice is told twice and cancelled singly.
      const listener = () => tell()
      listeners.add(listener)
      if (listeners.size === 1)
        unwatch = source.onChange(() => {
          for (const each of [...listeners]) each()
        })
      return () => {
        if (listeners.delete(listener) && listeners.size === 0) unwatch()
      }
    },
    close: () => source.close(),
  }
}
