import type { Deployment } from '../../../src/api/kinds/deployment.ts'
import type { HorizontalPodAutoscaler } from '../../../src/api/kinds/horizontal-pod-autoscaler.ts'
import type { Checker } from './checker.ts'

/** What an autoscaler wants lies within the bounds of the spec it has observed, and in the end so does its target. */
export function autoscalerBounds(): Checker {
  /** By uid and generation. */
  const bounds = new Map<string, readonly [number, number]>()
  return {
    see({ object, previous, isGone }) {
      if (object.kind !== 'HorizontalPodAutoscaler' || isGone) return []
      const { metadata, spec, status } = object as HorizontalPodAutoscaler
      const before = (previous as HorizontalPodAutoscaler | undefined)?.status?.desiredReplicas
      bounds.set(`${metadata.uid}/${metadata.generation}`, [spec.minReplicas ?? 1, spec.maxReplicas])
      const wanted = status?.desiredReplicas
      const bound = bounds.get(`${metadata.uid}/${status?.observedGeneration}`)
      if (!wanted || !bound || wanted === before) return []
      return wanted < bound[0] || wanted > bound[1]
        ? [`HorizontalPodAutoscaler ${metadata.name} wants ${wanted}, outside ${bound[0]} to ${bound[1]}`]
        : []
    },
    atRest(view) {
      return view.all<HorizontalPodAutoscaler>('HorizontalPodAutoscaler').flatMap(({ metadata, spec }) => {
        const target = view
          .all<Deployment>(spec.scaleTargetRef.kind)
          .find(
            (one) =>
              one.metadata.name === spec.scaleTargetRef.name && one.metadata.namespace === metadata.namespace,
          )
        const replicas = target?.spec.replicas
        if (!replicas || (replicas >= (spec.minReplicas ?? 1) && replicas <= spec.maxReplicas)) return []
        return [
          `${spec.scaleTargetRef.name} rests at ${replicas}, outside ${spec.minReplicas ?? 1} to ${spec.maxReplicas}`,
        ]
      })
    },
  }
}
