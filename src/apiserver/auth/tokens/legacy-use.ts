import type { AnyKind } from '../../../api/kind.ts'
import { secret as secretKind } from '../../../api/kinds/secret.ts'
import type { AnyResource, Resource } from '../../../api/resource.ts'
import { LAST_USED } from '../../../api/service-account-secrets.ts'
import { isReason } from '../../../api/status.ts'
import { formatTime } from '../../../base/date.ts'
import type { Registry } from '../../registry.ts'
import type { RequestContext } from '../../request.ts'
import { change } from '../../verbs/update.ts'
import { LOOPBACK } from '../authenticate.ts'

/** Notes on a Secret the day on which its token was last used; what was noted today already is not written again. */
export async function noteLegacyUse(registry: Registry, { metadata }: Resource): Promise<void> {
  const { clock, log } = registry.env
  const day = formatTime(clock.now()).slice(0, 10)
  if (metadata.labels?.[LAST_USED] === day) return
  const context: RequestContext = {
    user: LOOPBACK,
    fieldManager: 'kube-apiserver',
    dryRun: false,
    fieldValidation: 'Strict',
    warnings: [],
  }
  const withDay = (old: AnyResource): AnyResource => ({
    ...old,
    metadata: { ...old.metadata, labels: { ...old.metadata.labels, [LAST_USED]: day } },
  })
  const { namespace, name, uid } = metadata
  try {
    const kind = secretKind as unknown as AnyKind
    await change(registry, kind, { namespace, name }, '', context, { next: withDay, uid })
  } catch (error) {
    if (!isReason(error, 'NotFound'))
      log.warn({ err: error, namespace, name }, 'use of a token was not noted')
  }
}
