import type { Review } from '../finding.ts'
import { jsonReport } from './json.ts'
import { textReport } from './text.ts'

/** By the name of -o. A new format is one file beside this one and one line here. */
export const reports: Readonly<Record<string, (review: Review) => string>> = {
  text: textReport,
  json: jsonReport,
}
