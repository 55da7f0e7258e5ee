import type { V1Container, V1Probe } from '../../api/generated/types.ts'

/** What a kubelet says when nothing listens yet where the probe asks (pkg/probe). Pure. */
export function probeRefusal(probe: V1Probe, container: V1Container, podIP: string): string {
  const { httpGet, tcpSocket, grpc } = probe
  const refused = (address: string) => `dial tcp ${address}: connect: connection refused`
  if (httpGet) {
    const address = `${httpGet.host || podIP}:${portOf(httpGet.port, container)}`
    const path = httpGet.path?.startsWith('/') ? httpGet.path : `/${httpGet.path ?? ''}`
    return `Get "${(httpGet.scheme ?? 'HTTP').toLowerCase()}://${address}${path}": ${refused(address)}`
  }
  if (tcpSocket) return refused(`${tcpSocket.host || podIP}:${portOf(tcpSocket.port, container)}`)
  if (grpc) {
    const within = `${probe.timeoutSeconds ?? 1}s`
    return `timeout: failed to connect service "${podIP}:${grpc.port}" within ${within}: context deadline exceeded`
  }
  // Of a command the kubelet shows what it printed: nothing here.
  return ''
}

function portOf(port: string | number | undefined, { ports = [] }: V1Container): string {
  return String(ports.find(({ name }) => name !== undefined && name === port)?.containerPort ?? port ?? '')
}
