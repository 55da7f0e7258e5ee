import { formatDuration } from '../../api/duration.ts'
import type { Env } from '../../base/env.ts'
import type { Runtime } from '../runtimes/runtime.ts'

export const INVALID_NAME = 'InvalidImageName'
export const NEVER_PULLED = 'ErrImageNeverPull'

type PullEvent = readonly ['Normal' | 'Warning', string, string]

/** Why a container waits for its image, and the events that say so. */
interface PullWait {
  readonly reason: string
  readonly message: string
  readonly events: readonly PullEvent[]
}

/** A pull failed with `why`, and is tried again later. */
export function pullBackOff(image: string, why: string): PullWait {
  const message = `Back-off pulling image "${image}"`
  return {
    reason: 'ImagePullBackOff',
    message: `${message}: ErrImagePull: ${why}`,
    events: [
      ['Normal', 'BackOff', message],
      ['Warning', 'Failed', 'Error: ImagePullBackOff'],
    ],
  }
}

/** It is not there and may not be pulled. */
export function neverPulled(image: string): PullWait {
  const [reason, message] = [
    NEVER_PULLED,
    `Container image "${image}" is not present with pull policy of Never`,
  ]
  return {
    reason,
    message,
    events: [
      ['Warning', reason, message],
      ['Warning', 'Failed', `Error: ${reason}`],
    ],
  }
}

/** No runtime could read its name. */
export function unreadableName(image: string, why: string): PullWait {
  const message = `Failed to apply default image tag "${image}": couldn't parse image name "${image}": ${why}`
  return {
    reason: INVALID_NAME,
    message,
    events: [
      ['Warning', 'InspectFailed', message],
      ['Warning', 'Failed', `Error: ${INVALID_NAME}`],
    ],
  }
}

/** One pull, with the events a kubelet writes around it. Resolves with why it failed, or undefined. */
export async function pullImage(
  { clock }: Env,
  runtime: Runtime,
  node: string,
  image: string,
  say: (type: 'Normal' | 'Warning', reason: string, message: string) => void,
): Promise<string | undefined> {
  const startedAt = clock.now()
  say('Normal', 'Pulling', `Pulling image "${image}"`)
  try {
    const bytes = await runtime.pull(node, image)
    const took = formatDuration(clock.now() - startedAt)
    say(
      'Normal',
      'Pulled',
      `Successfully pulled image "${image}" in ${took} (${took} including waiting). Image size: ${bytes} bytes.`,
    )
    return undefined
  } catch (error) {
    const { message } = error as Error
    say('Warning', 'Failed', `Failed to pull image "${image}": ${message}`)
    say('Warning', 'Failed', 'Error: ErrImagePull')
    return message
  }
}
