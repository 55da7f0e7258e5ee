// Workloads that controllers, scheduler and kubelets carry together, each in a process of its own, on the store on disk.
// `node bench/run.mjs controllers` runs them all; WORKLOAD=jobs one of them.
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

export const question =
  'workloads on 100 simulated nodes, from the first write until the last object is as it should be'

const rows = {
  deployments: {
    seconds: ['5,000 one-replica Deployments to Available', 's', 'budget 10; upstream with kwok about 900'],
  },
  upAndDown: { up: ['one Deployment from 0 to 10,000', 's'], down: ['… and back to 0', 's'] },
  rollingUpdate: { seconds: ['rolling update of 10,000 pods', 's'] },
  jobs: { seconds: ['1,000 Jobs to Complete', 's'] },
  endpointSlices: {
    changesPerSecond: ['pods that become ready or unready, of 200 Services', 'pods/s'],
    perSecond: ['… told by writes of EndpointSlices', 'writes/s'],
    writtenPerSecond: ['EndpointSlices of somebody else, written', 'writes/s', 'aim 10,000'],
  },
  namespace: { seconds: ['a namespace with 10,000 objects deleted', 's'] },
}

export async function run() {
  return Object.entries(rows)
    .filter(([workload]) => workload.includes(process.env.WORKLOAD ?? ''))
    .flatMap(([workload, figures]) => {
      const output = execFileSync(
        process.execPath,
        [join(import.meta.dirname, 'controllers-run.mjs'), workload],
        {
          encoding: 'utf8',
          timeout: 400_000,
        },
      )
      const measured = JSON.parse(output)
      const memory = `${Math.round(measured.rss)} MB at most`
      return Object.entries(figures).map(([figure, [name, unit, note]]) => ({
        name,
        value: measured[figure],
        unit,
        note: note ? `${note}; ${memory}` : memory,
      }))
    })
}
