import type { Review } from '../finding.ts'

export function jsonReport(review: Review): string {
  return JSON.stringify(review, undefined, 2)
}
