// Upstream's scheduler_perf workloads through the real API and store, bindings written, each in a process of its own.
// `node bench/run.mjs scheduler` runs them all; WORKLOAD=Spreading those whose name contains it; STORE=embedded on disk.
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { workloads } from './scheduler-workloads.mjs'

export const question =
  'pods scheduled in a second, created meanwhile, beside upstream thresholds (1.36.2/main) and budgets'

const wanted = process.env.WORKLOAD ?? ''
const store = process.env.STORE ?? 'memory'

export async function run() {
  return Object.entries(workloads)
    .filter(([name]) => name.includes(wanted))
    .map(([name, { threshold, budget, nodes, measured }]) => {
      const output = execFileSync(
        process.execPath,
        ['--expose-gc', join(import.meta.dirname, 'scheduler-run.mjs'), name, store],
        { encoding: 'utf8', timeout: 300_000 },
      )
      const { podsPerSecond, residentMb } = JSON.parse(output)
      const facts = [
        `${measured[0]} pods, ${nodes} nodes`,
        `upstream ${threshold}`,
        ...(budget ? [`budget ${budget}`] : []),
        `${Math.round(residentMb)} MB`,
      ]
      return { name, value: podsPerSecond, unit: 'pods/s', note: facts.join(', ') }
    })
}
