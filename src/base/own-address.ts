import { networkInterfaces } from 'node:os'

/** This machine as others see it: its first IPv4 address that is not its loopback. Undefined without a network. */
export function ownAddress(): string | undefined {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
  return all.find(({ family, internal }) => family === 'IPv4' && !internal)?.address
}
