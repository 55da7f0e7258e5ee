/** Sets of completion indexes and their text, "1,3-5,7" (indexed_job_utils.go). Pure. */

/** First and last of each run. Numbers of at least `count` are left out; malformed parts are too. */
export function parseRuns(text: string | undefined, count: number): readonly (readonly [number, number])[] {
  return (text?.split(',') ?? []).flatMap((part) => {
    const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(part) ?? []
    if (first === undefined || Number(first) >= count) return []
    return [[Number(first), Math.min(Number(last), count - 1)] as const]
  })
}

/** Of what this controller wrote itself: as many as have ended, not as many as somebody writes in five characters. */
export function parseIndexes(text: string | undefined, count: number): Set<number> {
  const indexes = new Set<number>()
  for (const [first, last] of parseRuns(text, count)) for (let i = first; i <= last; i += 1) indexes.add(i)
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
