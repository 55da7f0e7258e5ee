import { baseline } from './baseline.ts'
import { restricted } from './restricted.ts'
import type { PodShape } from './shape.ts'

/**
 * The Pod Security Standards: which pods the levels baseline and restricted forbid, and why, in the words of
 * kube-apiserver. Pure; admission asks here, whatever else judges pods may as well.
 */
export type Level = 'privileged' | 'baseline' | 'restricted'

/** The newest version the standards are known of; "latest" means it. */
export const LATEST_MINOR = 36

/** What the level forbids of the pod, one text each; empty when the pod is allowed. */
export function violations(pod: PodShape, level: Level, minor: number): string[] {
  if (level === 'privileged') return []
  const checks =
    level === 'baseline' ? [...baseline.shared, ...baseline.only] : [...baseline.shared, ...restricted]
  return checks.flatMap((check) => {
    const found = check(pod, minor)
    return found ? `${found[0]} (${found[1]})` : []
  })
}
