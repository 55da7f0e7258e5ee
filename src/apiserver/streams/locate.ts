import type { V1ContainerStatus } from '../../api/generated/types.ts'
import type { Pod } from '../../api/pods.ts'
import { ApiError, badRequest, fault, invalid, type StatusCause } from '../../api/status.ts'
import { parseTime } from '../../base/date.ts'
import type { LogOptions, NodeConnection, NodeConnections } from '../../client/node-connection.ts'
import { isTrue } from '../request-info.ts'

/** Which container a request on a pod means, in Kubernetes' words (registry/core/pod/strategy.go, kubelet_pods.go). Pure. */
export function containerNamed(pod: Pod, name: string): string {
  const { containers, initContainers = [], ephemeralContainers = [] } = pod.spec
  const names = (list: readonly { readonly name: string }[]) => list.map((each) => each.name)
  if (name !== '') {
    const all = names([...containers, ...initContainers, ...ephemeralContainers])
    if (all.includes(name)) return name
    throw badRequest(`container ${name} is not valid for pod ${pod.metadata.name}`)
  }
  const [first, ...others] = names(containers)
  if (first !== undefined && others.length === 0) return first
  const inits =
    initContainers.length > 0 ? ` or one of the init containers: [${names(initContainers).join(' ')}]` : ''
  throw badRequest(
    `a container name must be specified for pod ${pod.metadata.name}, choose one of: [${names(containers).join(' ')}]${inits}`,
  )
}

export function statusNamed(pod: Pod, name: string): V1ContainerStatus | undefined {
  const {
    initContainerStatuses = [],
    containerStatuses = [],
    ephemeralContainerStatuses = [],
  } = pod.status ?? {}
  return [...containerStatuses, ...initContainerStatuses, ...ephemeralContainerStatuses].find(
    (status) => status.name === name,
  )
}

/** The id of the container whose log is asked for; throws what says why there is none (yet). */
export function loggedContainer(pod: Pod, name: string, isPrevious: boolean): string {
  const container = JSON.stringify(name)
  const where = `container ${container} in pod ${JSON.stringify(pod.metadata.name)}`
  const status = statusNamed(pod, name)
  if (!status) {
    if (isPrevious) throw badRequest(`previous terminated ${where} not found`)
    throw badRequest(
      pod.status?.startTime ? `${where} is not available` : `${where} is waiting to start: ContainerCreating`,
    )
  }
  const { waiting, running, terminated } = status.state ?? {}
  const last = status.lastState?.terminated
  if (isPrevious) {
    if (last?.containerID) return last.containerID
    throw badRequest(`previous terminated ${where} not found`)
  }
  if (running && status.containerID) return status.containerID
  if (terminated) {
    if (terminated.containerID) return terminated.containerID
    if (last?.containerID) return last.containerID
    throw badRequest(`${where} is terminated`)
  }
  if (last?.containerID) return last.containerID
  switch (waiting?.reason) {
    case undefined:
      throw badRequest(`${where} is waiting to start - no logs yet`)
    case 'ErrImagePull':
      throw badRequest(`${where} is waiting to start: image can't be pulled`)
    case 'ImagePullBackOff':
      throw badRequest(`${where} is waiting to start: trying and failing to pull image`)
    default:
      throw badRequest(`${where} is waiting to start: ${waiting?.reason}`)
  }
}

/** The node a pod runs on; throws when there is none, or it cannot be reached. */
export function connectionOf(connections: NodeConnections, { metadata, spec }: Pod): NodeConnection {
  if (!spec.nodeName) throw badRequest(`pod ${metadata.name} does not have a host assigned`)
  const connection = connections.get(spec.nodeName)
  if (connection) return connection
  const [node, pod] = [spec.nodeName, metadata.name].map((name) => JSON.stringify(name))
  throw new ApiError(
    'InternalError',
    `error dialing backend: the node ${node} of pod ${pod} cannot be reached`,
  )
}

/** The id of a container that runs now. */
export function runningContainer(pod: Pod, name: string): string {
  const status = statusNamed(pod, name)
  if (status?.state?.running && status.containerID) return status.containerID
  throw new ApiError(
    'InternalError',
    `unable to upgrade connection: container not found (${JSON.stringify(name)})`,
  )
}

/** PodLogOptions out of a query; throws Invalid with every fault. `now` in epoch ms. */
export function logOptionsOf(
  query: URLSearchParams,
  now: number,
): LogOptions & { readonly previous: boolean } {
  const causes: StatusCause[] = []
  const number = (field: string, min: number, rule: string) => {
    const text = query.get(field)
    if (text === null || text === '') return undefined
    if (!/^-?\d+$/.test(text))
      throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`)
    if (Number(text) < min) causes.push(fault.invalid(field, Number(text), rule))
    return Number(text)
  }
  const tailLines = number('tailLines', 0, 'must be greater than or equal to 0')
  const limitBytes = number('limitBytes', 1, 'must be greater than 0')
  const sinceSeconds = number('sinceSeconds', 1, 'must be greater than 0')
  const sinceTime = query.get('sinceTime')
  if (sinceTime && sinceSeconds !== undefined)
    causes.push(fault.forbidden('', 'at most one of `sinceTime` or `sinceSeconds` may be specified'))
  const since = sinceSeconds === undefined ? parseTime(sinceTime) : now - sinceSeconds * 1000
  const stream = query.get('stream') || 'All'
  if (stream !== 'All' && stream !== 'Stdout' && stream !== 'Stderr') {
    causes.push(fault.notSupported('stream', stream, ['All', 'Stdout', 'Stderr']))
  } else if (stream !== 'All' && tailLines !== undefined) {
    causes.push(fault.forbidden('', '`tailLines` and specific `stream` are mutually exclusive for now'))
  }
  if (causes.length > 0) throw invalid({ group: '', kind: 'PodLogOptions' }, '', causes)
  return {
    tailLines,
    limitBytes,
    since,
    stream: stream as 'All' | 'Stdout' | 'Stderr',
    follow: isTrue(query.get('follow')),
    timestamps: isTrue(query.get('timestamps')),
    previous: isTrue(query.get('previous')),
  }
}
