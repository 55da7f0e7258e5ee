// `simulate` for a long time: days of a cluster of up to 500 pods on a virtual clock, with autoscalers that follow a sine of
// load by day and CronJobs by the hour. `DAYS=7 node bench/run.mjs week` simulates the whole week (some minutes).
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

const DAYS = Number(process.env.DAYS ?? 2)
const WEEK_S = 7 * 24 * 3600

export const question = `a simulated week of up to 500 pods with autoscalers and CronJobs, by ${DAYS} of its days (budget 1,000 : 1)`

export function run() {
  const output = execFileSync(
    process.execPath,
    ['--expose-gc', join(import.meta.dirname, 'week-run.mjs'), String(DAYS)],
    { encoding: 'utf8', timeout: 1_800_000 },
  )
  const { seconds, ratio, writes, jobs, pods, heapMb, heapByDay, residentMb } = JSON.parse(output)
  const week = `a week in ${Math.round(WEEK_S / ratio)} s`
  return [
    { name: 'virtual : wall', value: ratio, unit: ': 1', note: `${week}, budget 1,000 : 1` },
    { name: 'wall time', value: seconds, unit: 's', note: `${pods.join(' to ')} pods, ${jobs} jobs` },
    {
      name: 'writes',
      value: writes,
      unit: '',
      note: `${Math.round(writes / seconds)} in a second of wall time`,
    },
    {
      name: 'memory in use at the end',
      value: heapMb,
      unit: 'MB',
      note: `by day ${heapByDay.join(', ')}; resident ${Math.round(residentMb)} MB`,
    },
  ]
}
