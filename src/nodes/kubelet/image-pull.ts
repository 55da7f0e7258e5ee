import type { V1Container } from '../../api/generated/types.ts'
import type { Env } from '../../base/env.ts'
import type { Runtime } from '../runtimes/runtime.ts'

/** One pull, with the events a kubelet writes around it. Resolves with why it failed, or undefined. */
export async function pullImage(
  { clock }: Env,
  runtime: Runtime,
  node: string,
  { image = '' }: V1Container,
  say: (type: 'Normal' | 'Warning', reason: string, message: string) => void,
): Promise<string | undefined> {
  const startedAt = clock.now()
  say('Normal', 'Pulling', `Pulling image "${image}"`)
  try {
    const bytes = await runtime.pull(node, image)
    const took = `${clock.now() - startedAt}ms`
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
