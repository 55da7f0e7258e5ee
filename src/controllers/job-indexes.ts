/** Sets of completion indexes and their text, "1,3-5,7" (indexed_job_utils.go). Pure. */

/** Numbers of at least `count` are left out; malformed parts are too. */
export function parseIndexes(text: string | undefined, count: number): Set<number> {
  const indexes = new Set<number>()
  for (const part of text?.split(',') ?? []) {
    const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(part) ?? []
    if (first === undefined) continue
    for (let i = Number(first); i <= Math.min(Number(last), count - 1); i += 1) indexes.add(i)
  }
  return indexes
}

/** Runs of three and more are "first-last"; of two, "first,last". */
export function formatIndexes(indexes: ReadonlySet<number>): string {
  const sorted = [...indexes].sort((a, b) => a - b)
  const parts: string[] = []
  for (let i = 0; i < sorted.length; ) {
    const first = sorted[i] ?? 0
    let length = 1
    while (sorted[i + length] === first + length) length += 1
    const last = first + length - 1
    parts.push(length === 1 ? `${first}` : length === 2 ? `${first},${last}` : `${first}-${last}`)
    i += length
  }
  return parts.join(',')
}
