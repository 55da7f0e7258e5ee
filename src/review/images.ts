import { imageNameFault } from '../api/image-name.ts'
import type { Pod } from '../api/kinds/pod.ts'
import type { AnyResource } from '../api/resource.ts'
import type { Manifest } from '../sync/manifest.ts'
import type { Expansion } from './expand.ts'
import { type Finding, findingAt } from './finding.ts'

/** Images whose names no node could read: the API takes them, and their containers wait with InvalidImageName. */
export function unreadableImages(
  manifest: Manifest,
  stored: AnyResource,
  { prefix, templates }: Expansion,
): Finding[] {
  const spec = prefix === 'spec.' ? (stored as unknown as Pod).spec : templates[0]?.spec
  return (['initContainers', 'containers'] as const).flatMap((list) =>
    (spec?.[list] ?? []).flatMap(({ image = '' }, i) => {
      const why = imageNameFault(image)
      if (why === undefined) return []
      const message = `couldn't parse image name "${image}": ${why}`
      return [findingAt(manifest, `${prefix}${list}[${i}].image`, 'unreadable-image', message)]
    }),
  )
}
