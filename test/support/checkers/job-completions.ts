import type { Job } from '../../../src/api/kinds/job.ts'
import type { Pod } from '../../../src/api/kinds/pod.ts'
import { controllerOf } from '../../../src/api/resource.ts'
import type { Checker, Moment } from './checker.ts'

const TRACKING = 'batch.kubernetes.io/job-tracking'
const INDEX = 'batch.kubernetes.io/job-completion-index'

interface Seen {
  /** Pod uid to index ("" without), of those that were seen to succeed. */
  readonly succeeded: Map<string, string>
  /** Let go by the Job; each must have been counted by then. */
  readonly released: Set<string>
  /** Counted as failures, or let go of, while they still ran: what becomes of them afterwards is nobody's business. */
  readonly writtenOff: Set<string>
}

/** What a Job says of its pods is what its pods did: none lost, none counted twice, each index once. */
export function jobCompletions(): Checker {
  const jobs = new Map<string, Seen>()
  const of = (uid: string): Seen => {
    const seen = jobs.get(uid) ?? { succeeded: new Map(), released: new Set(), writtenOff: new Set() }
    jobs.set(uid, seen)
    return seen
  }
  const seePod = ({ object, isGone, view }: Moment): readonly string[] => {
    const pod = object as Pod
    const owner = controllerOf(pod)
    const uid = pod.metadata.uid ?? ''
    if (owner?.kind !== 'Job') return []
    const seen = of(owner.uid)
    const isHeld = pod.metadata.finalizers?.includes(TRACKING)
    if (pod.status?.phase !== 'Succeeded' && !isHeld) seen.writtenOff.add(uid)
    if (pod.status?.phase !== 'Succeeded' || seen.writtenOff.has(uid)) return []
    seen.succeeded.set(uid, pod.metadata.annotations?.[INDEX] ?? '')
    if (!isGone && isHeld) return []
    seen.released.add(uid)
    const job = view.byUid<Job>('Job', owner.uid)
    if (!job || job.metadata.deletionTimestamp || job.spec.completionMode === 'Indexed' || isFinished(job))
      return []
    const counted = job.status?.succeeded ?? 0
    const listed = job.status?.uncountedTerminatedPods?.succeeded?.length ?? 0
    return seen.released.size > counted + listed
      ? [
          `Job ${owner.name} let go of ${seen.released.size} pods that succeeded, and counts ${counted} + ${listed}`,
        ]
      : []
  }
  return {
    see(moment) {
      if (moment.object.kind === 'Pod') return seePod(moment)
      if (moment.object.kind !== 'Job' || moment.isGone) return []
      const job = moment.object as Job
      const before = moment.previous as Job | undefined
      const seen = of(job.metadata.uid ?? '')
      for (const uid of job.status?.uncountedTerminatedPods?.failed ?? []) {
        seen.writtenOff.add(uid)
        seen.succeeded.delete(uid)
        seen.released.delete(uid)
      }
      return jobFaults(job, before, seen)
    },
  }
}

function jobFaults(job: Job, before: Job | undefined, seen: Seen): string[] {
  const { name } = job.metadata
  const { succeeded = 0, failed = 0, uncountedTerminatedPods } = job.status ?? {}
  const wrong: string[] = []
  if (succeeded < (before?.status?.succeeded ?? 0)) wrong.push(`Job ${name} forgot pods that succeeded`)
  if (failed < (before?.status?.failed ?? 0)) wrong.push(`Job ${name} forgot pods that failed`)
  const isDone = hasCondition(job, 'Complete')
  if (job.spec.completionMode === 'Indexed') {
    const done = expand(job.status?.completedIndexes ?? '')
    const real = new Set(seen.succeeded.values())
    if (new Set(done).size !== done.length) wrong.push(`Job ${name} lists an index twice: ${done.join()}`)
    for (const index of done)
      if (!real.has(String(index))) wrong.push(`Job ${name} calls index ${index} completed, which no pod did`)
    if (succeeded !== done.length)
      wrong.push(`Job ${name} counts ${succeeded} and lists ${done.length} completed indexes`)
    if (isDone && done.length !== job.spec.completions)
      wrong.push(`Job ${name} is complete with ${done.length} of ${job.spec.completions} indexes`)
    return wrong
  }
  const listed = uncountedTerminatedPods?.succeeded?.length ?? 0
  if (succeeded + listed > seen.succeeded.size)
    wrong.push(`Job ${name} counts ${succeeded} + ${listed} pods, of ${seen.succeeded.size} that succeeded`)
  if (isDone && succeeded !== seen.succeeded.size)
    wrong.push(`Job ${name} is complete with ${succeeded} pods, and ${seen.succeeded.size} succeeded`)
  if (isDone && succeeded < (job.spec.completions ?? 1))
    wrong.push(`Job ${name} is complete with ${succeeded} of ${job.spec.completions} pods`)
  return wrong
}

/** "1,3-5" -> [1, 3, 4, 5]. */
function expand(text: string): number[] {
  return text.split(',').flatMap((part) => {
    const [first, last = first] = part.split('-').map(Number)
    if (part === '' || first === undefined) return []
    return Array.from({ length: (last ?? first) - first + 1 }, (_, i) => first + i)
  })
}

function hasCondition({ status }: Job, wanted: string): boolean {
  return status?.conditions?.some(({ type, status: is }) => type === wanted && is === 'True') ?? false
}

function isFinished(job: Job): boolean {
  return hasCondition(job, 'Complete') || hasCondition(job, 'Failed')
}
