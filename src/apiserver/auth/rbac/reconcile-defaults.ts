import type { RbacV1Subject, V1PolicyRule } from '../../../api/generated/types.ts'
import type { AnyResource, Resource } from '../../../api/resource.ts'
import { isReason } from '../../../api/status.ts'
import { deepEqual } from '../../../base/json.ts'
import type { Registry } from '../../registry.ts'
import type { RequestContext } from '../../request.ts'
import { create } from '../../verbs/create.ts'
import { change } from '../../verbs/update.ts'
import { LOOPBACK } from '../authenticate.ts'
import { AUTOUPDATE, defaultObjects } from './default-objects.ts'
import { rulesNotHeld } from './rules.ts'

const AGAIN_MS = 500

/**
 * Makes the default roles and bindings that are missing, and gives those that are there back the rules and subjects
 * they lack. What somebody added stays; who sets the annotation autoupdate to "false" keeps theirs as it is. Tried
 * again until it works or the signal aborts: a controller makes the namespace of some a moment after the start.
 */
export async function keepDefaults(registry: Registry, signal: AbortSignal): Promise<void> {
  const { clock, log } = registry.env
  while (!signal.aborted) {
    try {
      if (await reconcileDefaults(registry)) return
    } catch (error) {
      if (signal.aborted) return
      log.error({ err: error }, 'default roles could not be made, trying again')
    }
    await new Promise<void>((resolve) => {
      const cancel = clock.after(AGAIN_MS, resolve)
      signal.addEventListener(
        'abort',
        function ended() {
          cancel()
          resolve()
        },
        { once: true },
      )
    })
  }
}

/** Returns whether all of them are as they should be. */
async function reconcileDefaults(registry: Registry): Promise<boolean> {
  const context: RequestContext = {
    user: LOOPBACK,
    fieldManager: 'kube-apiserver',
    dryRun: false,
    fieldValidation: 'Strict',
    warnings: [],
  }
  const done = await Promise.all(
    defaultObjects.map(async ({ kind, wanted }) => {
      try {
        if (!(await registry.find(kind, wanted.metadata)))
          await create(registry, kind, wanted.metadata.namespace, wanted, context)
        else
          await change(registry, kind, wanted.metadata, '', context, {
            next: (old) => (needsUpdate(old) ? completed(old, wanted as unknown as AnyResource) : old),
          })
        return true
      } catch (error) {
        if (isReason(error, 'AlreadyExists') || isReason(error, 'NotFound')) return false
        throw error
      }
    }),
  )
  return done.every((each) => each)
}

function needsUpdate({ metadata }: Resource): boolean {
  return metadata.annotations?.[AUTOUPDATE] !== 'false'
}

/** The object as it is, with what the default has and it lacks. Pure. The object itself when it lacks nothing. */
export function completed(old: AnyResource, wanted: AnyResource): AnyResource {
  const labels = { ...wanted.metadata.labels, ...old.metadata.labels }
  const annotations = { ...wanted.metadata.annotations, ...old.metadata.annotations }
  const next: AnyResource = {
    ...old,
    metadata: { ...old.metadata, labels, annotations },
    ...(wanted['subjects'] ? { subjects: joined(old['subjects'], wanted['subjects']) } : {}),
    ...(wanted['aggregationRule']
      ? { aggregationRule: wanted['aggregationRule'] }
      : wanted['rules']
        ? {
            rules: withMissing(
              old['rules'] as readonly V1PolicyRule[],
              wanted['rules'] as readonly V1PolicyRule[],
            ),
          }
        : {}),
  }
  return deepEqual(next, old) ? old : next
}

function withMissing(
  held: readonly V1PolicyRule[] = [],
  wanted: readonly V1PolicyRule[],
): readonly V1PolicyRule[] {
  return [...held, ...rulesNotHeld(held, wanted)]
}

function joined(held: unknown, wanted: unknown): readonly RbacV1Subject[] {
  const before = (held ?? []) as readonly RbacV1Subject[]
  const missing = (wanted as readonly RbacV1Subject[]).filter(
    (subject) => !before.some((other) => deepEqual(other, subject)),
  )
  return [...before, ...missing]
}
