import { parseDuration } from '../../api/duration.ts'
import { node as nodeKind } from '../../api/kinds/node.ts'
import type { Informers } from '../../client/informers.ts'
import type { RuntimeFaults } from '../runtimes/runtime-faults.ts'
import { type ActiveFaults, hitsContainer, hitsPod } from './targets.ts'

const FLAP_MS = 10_000

/** The faults that last, as a runtime asks for them. */
export function runtimeFaults(active: ActiveFaults, informers: Informers): RuntimeFaults {
  const nodeOf = (name: string) => informers.of(nodeKind).get(name)
  return {
    delayMs: (node) =>
      active
        .on('SlowNode', nodeOf(node))
        .reduce((sum, { spec }) => sum + (parseDuration(spec.delay ?? '') ?? 0), 0),
    pullError: (node, image) =>
      active.on('FailPull', nodeOf(node)).some(({ spec }) => (spec.target?.image ?? image) === image)
        ? 'a Fault makes this pull fail'
        : undefined,
    flapMs: (node, pod, container) =>
      active
        .on('FlapProbe', nodeOf(node))
        .some((fault) => hitsPod(fault, pod) && hitsContainer(fault, container))
        ? FLAP_MS
        : undefined,
  }
}
