import type { V1Container } from '../../api/generated/types.ts'
import type { Pod } from '../../api/kinds/pod.ts'

/** What goes wrong on purpose in a runtime; asked each time. */
export interface RuntimeFaults {
  /** Added to each pull and start. */
  delayMs(node: string): number
  pullError(node: string, image: string): string | undefined
  /** Probes fail and pass in turn, for so long each; undefined: they do not. */
  flapMs(node: string, pod: Pod, container: V1Container): number | undefined
}

export const NO_FAULTS: RuntimeFaults = {
  delayMs: () => 0,
  pullError: () => undefined,
  flapMs: () => undefined,
}
