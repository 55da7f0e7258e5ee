import type { V1Container } from '../../api/generated/types.ts'
import type { Pod } from '../../api/kinds/pod.ts'
import { allContainers, type ContainerKind, type ContainerRecord } from './record.ts'

/**
 * Whether a container that has ended starts again (container/helpers.go ContainerShouldRestart): the first of its rules
 * that fits its exit code says so, else its own policy, else the pod's; init containers until they succeed, sidecars
 * always. Pure.
 */
export function restarts(
  { spec }: Pod,
  container: V1Container,
  kind: ContainerKind,
  { exit, isChanged }: Pick<ContainerRecord, 'exit' | 'isChanged'>,
): boolean {
  if (isChanged) return true
  if (kind === 'ephemeral') return false
  if (kind === 'sidecar' || ruleFor(container, exit?.code)) return true
  const policy = container.restartPolicy ?? spec.restartPolicy ?? 'Always'
  const failed = exit?.code !== 0
  if (kind === 'init') return failed && policy !== 'Never'
  return policy === 'Always' || (policy === 'OnFailure' && failed)
}

/** The container whose end starts all containers of the pod anew, as one of its rules says. Pure. */
export function restartsAll(
  pod: Pod,
  containers: ReadonlyMap<string, Pick<ContainerRecord, 'phase' | 'exit'>>,
): V1Container | undefined {
  if (!mayRestartAll(pod)) return undefined
  return allContainers(pod).find(({ container, kind }) => {
    const state = containers.get(container.name)
    if (kind === 'ephemeral' || state?.phase !== 'exited') return false
    return ruleFor(container, state.exit?.code)?.action === RESTART_ALL
  })?.container
}

/** Some container has a rule that may start all of them anew. */
export function mayRestartAll({ spec: { containers, initContainers } }: Pod): boolean {
  return containers.some(hasRestartAll) || initContainers?.some(hasRestartAll) === true
}

function hasRestartAll({ restartPolicyRules }: V1Container): boolean {
  return restartPolicyRules?.some(({ action }) => action === RESTART_ALL) === true
}

const RESTART_ALL = 'RestartAllContainers'

function ruleFor({ restartPolicyRules = [] }: V1Container, code: number | undefined) {
  return restartPolicyRules.find(({ exitCodes }) => {
    if (!exitCodes || code === undefined) return false
    return (exitCodes.values ?? []).includes(code) === (exitCodes.operator === 'In')
  })
}
