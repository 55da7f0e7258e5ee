import type { Service } from '../../api/kinds/service.ts'

/**
 * The variables that tell containers of a namespace where its services are (kubelet/envvars): NAME_SERVICE_HOST and the
 * like, and those of the old Docker links. `services` are those with an address in the namespace; pure.
 */
export function serviceEnvironment(services: readonly Service[]): Readonly<Record<string, string>> {
  const result: Record<string, string> = {}
  for (const { metadata, spec } of services) {
    const name = variableOf(metadata.name)
    const ip = spec.clusterIP ?? ''
    const ports = spec.ports ?? []
    result[`${name}_SERVICE_HOST`] = ip
    for (const [i, { name: portName, port, protocol = 'TCP' }] of ports.entries()) {
      const scheme = protocol.toLowerCase()
      const url = `${scheme}://${ip.includes(':') ? `[${ip}]` : ip}:${port}`
      if (i === 0) result[`${name}_SERVICE_PORT`] = String(port)
      if (portName) result[`${name}_SERVICE_PORT_${variableOf(portName)}`] = String(port)
      if (i === 0) result[`${name}_PORT`] = url
      const link = `${name}_PORT_${port}_${protocol.toUpperCase()}`
      result[link] = url
      result[`${link}_PROTO`] = scheme
      result[`${link}_PORT`] = String(port)
      result[`${link}_ADDR`] = ip
    }
  }
  return result
}

export function hasClusterIp({ spec }: Service): boolean {
  return spec.clusterIP !== undefined && spec.clusterIP !== '' && spec.clusterIP !== 'None'
}

function variableOf(name: string): string {
  const upper = name.replaceAll(/[.-]/g, '_').toUpperCase()
  return /^\d/.test(upper) ? `_${upper}` : upper
}
