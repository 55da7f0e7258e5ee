import type { KindRef } from '../../src/api/kind.ts'
import type { Application, ApplicationStatus } from '../../src/api/kinds/application.ts'
import { application as applicationKind } from '../../src/api/kinds/application.ts'
import type { Resource } from '../../src/api/resource.ts'
import { isReason } from '../../src/api/status.ts'
import { createEnv } from '../../src/base/env.ts'
import { seededRandom } from '../../src/base/random.ts'
import { VirtualClock } from '../../src/base/virtual-clock.ts'
import { type ControlPlane, startControlPlane } from '../../src/control-plane.ts'
import type { Progress } from '../../src/sync/progress.ts'
import { MemorySource } from '../../src/sync/sources/memory.ts'

/** A whole cluster on virtual time that follows a repository in memory, for stories about commits. */
export interface GitOps {
  readonly clock: VirtualClock
  readonly plane: ControlPlane
  readonly source: MemorySource
  readonly progress: readonly Progress[]
  /** Commits, and waits until the commit has ended one way or the other. Returns its id. */
  commit(
    files: Readonly<Record<string, string>>,
    options?: { subject?: string; within?: number },
  ): Promise<string>
  /** Until there is progress of this type about this commit (for rolled-back: from it). */
  until(type: Progress['type'], commit?: string, withinMs?: number): Promise<Progress>
  find<R extends Resource>(kind: KindRef<R>, name: string, namespace?: string): Promise<R | undefined>
  application(name?: string): Promise<Application>
  status(name?: string): Promise<ApplicationStatus>
  /** "Ready=True/Healthy" of each condition. */
  conditions(name?: string): Promise<readonly string[]>
  close(): Promise<void>
}

export async function startGitOps(options: { seed?: number; parts?: boolean } = {}): Promise<GitOps> {
  const seed = options.seed ?? 1
  const clock = new VirtualClock({ seed })
  const env = createEnv({ clock, random: seededRandom(seed) })
  const source = new MemorySource(clock)
  const progress: Progress[] = []
  const plane = await startControlPlane(env, {
    store: 'memory',
    freeze: true,
    sync: {
      source,
      name: 'demo',
      statusMode: { type: 'notes' },
      onProgress: (event) => progress.push(event),
    },
  })
  const ended = new Set(['healthy', 'failed', 'rolled-back', 'waiting-for-source'])
  const about = (event: Progress, commit: string | undefined) =>
    commit === undefined ||
    ('commit' in event &&
      (event.commit === commit || (typeof event.commit === 'object' && event.commit.id === commit))) ||
    ('from' in event && event.from === commit)
  const gitops: GitOps = {
    clock,
    plane,
    source,
    progress,
    async commit(files, { subject = 'change', within = 20 * 60_000 } = {}) {
      const from = progress.length
      const id = source.commit(subject, files)
      await clock.until(() => {
        const news = progress.slice(from)
        const isFailing = news.some(({ type }) => type === 'rolling-back')
        return news.some(
          (event) =>
            ended.has(event.type) &&
            (about(event, id) || !('commit' in event)) &&
            !(event.type === 'failed' && isFailing),
        )
      }, within)
      await clock.run(10)
      return id
    },
    async until(type, commit, withinMs = 20 * 60_000) {
      const is = (event: Progress) => event.type === type && about(event, commit)
      await clock.until(() => progress.some(is), withinMs)
      return progress.find(is) as Progress
    },
    async find(kind, name, namespace) {
      try {
        return await plane.client.get(kind, { name, ...(namespace ? { namespace } : {}) })
      } catch (error) {
        if (isReason(error, 'NotFound')) return undefined
        throw error
      }
    },
    application: (name = 'demo') => plane.client.get(applicationKind, { namespace: 'default', name }),
    async status(name) {
      return (await gitops.application(name)).status ?? {}
    },
    async conditions(name) {
      const { conditions = [] } = await gitops.status(name)
      return conditions.map(({ type, status, reason }) => `${type}=${status}/${reason}`).sort()
    },
    async close() {
      const stopping = plane.stop()
      await clock.run(10_000)
      await stopping
    },
  }
  return gitops
}
