import type { V1Container, V1PodSpec } from '../generated/types.ts'
import type { ObjectMeta } from '../resource.ts'

export interface PodShape {
  readonly metadata: Pick<ObjectMeta, 'annotations'>
  readonly spec: V1PodSpec
}

/** "hostPort (container "a" uses hostPort 80)": reason and detail. `minor` is that of the policy's version. */
export type Check = (pod: PodShape, minor: number) => readonly [reason: string, detail: string] | undefined

/** Init containers first, then containers, then ephemeral ones, as visited by kube-apiserver. */
export function allContainers(spec: V1PodSpec): readonly V1Container[] {
  return [
    ...(spec.initContainers ?? []),
    ...spec.containers,
    ...((spec.ephemeralContainers ?? []) as V1Container[]),
  ]
}

export function quoted(names: readonly string[]): string {
  return names.map((name) => JSON.stringify(name)).join(', ')
}

export function plural(word: string, many: number): string {
  return many === 1 ? word : `${word}s`
}

/** 'container "a"', 'containers "a", "b"'. */
export function containersText(names: readonly string[]): string {
  return `${plural('container', names.length)} ${quoted(names)}`
}

/** Who set something: the pod, its containers, or both. Undefined when nobody did. */
export function setters(byPod: boolean, containers: readonly string[], join = ' and '): string | undefined {
  const all = [...(byPod ? ['pod'] : []), ...(containers.length > 0 ? [containersText(containers)] : [])]
  return all.length > 0 ? all.join(join) : undefined
}

export function namesOf(spec: V1PodSpec, isBad: (container: V1Container) => boolean): string[] {
  return allContainers(spec)
    .filter(isBad)
    .map(({ name }) => name)
}

export function isWindows({ os }: V1PodSpec): boolean {
  return os?.name === 'windows'
}

export function sorted(texts: readonly string[]): string[] {
  return [...new Set(texts)].sort()
}
