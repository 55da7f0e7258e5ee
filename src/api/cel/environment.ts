import { Environment } from '@marcbachmann/cel-js'
import { registerAddresses } from './library-addresses.ts'
import { registerLists } from './library-lists.ts'
import { registerPresence } from './library-presence.ts'
import { registerQuantities } from './library-quantities.ts'
import { registerTexts } from './library-texts.ts'
import { registerUrls } from './library-urls.ts'
import { registerVersions } from './library-versions.ts'

/** Bounds on one expression, so that parsing and checking cost no more than its size. */
const LIMITS = {
  maxAstNodes: 10_000,
  maxDepth: 100,
  maxListElements: 1000,
  maxMapEntries: 1000,
  maxCallArguments: 32,
}

/**
 * CEL with what Kubernetes adds to it: lists, regular expressions, URLs, quantities, IP addresses, format, semver and
 * optional types. Made once; whoever declares variables works on a clone.
 */
const base = once(() => {
  const environment = new Environment({
    enableOptionalTypes: true,
    homogeneousAggregateLiterals: false,
    limits: LIMITS,
  })
  environment.registerOperator('int == double', (a: bigint, b: number) => Number(a) === b)
  registerLists(environment)
  registerPresence(environment)
  registerTexts(environment)
  registerUrls(environment)
  registerQuantities(environment)
  registerAddresses(environment)
  registerVersions(environment)
  return environment
})

export function celEnvironment(): Environment {
  return base().clone()
}

/** Made when first asked for: a cluster without expressions does not pay for them at start. */
export function once<T extends object>(make: () => T): () => T {
  let made: T | undefined
  return () => {
    made ??= make()
    return made
  }
}
