import type { Deployment } from '../../../src/api/kinds/deployment.ts'
import type { HorizontalPodAutoscaler } from '../../../src/api/kinds/horizontal-pod-autoscaler.ts'
import type { Checker } from './checker.ts'

/** What an autoscaler newly wants lies within its bounds, and in the end so does its target. */
export function autoscalerBounds(): Checker {
  return {
    see({ object, previous, isGone }) {
      if (object.kind !== 'HorizontalPodAutoscaler' || isGone) return []
      const { metadata, spec, status } = object as HorizontalPodAutoscaler
      const before = (previous as HorizontalPodAutoscaler | undefined)?.status?.desiredReplicas
      const wanted = status?.desiredReplicas
      const min = spec.minReplicas ?? 1
      if (!wanted || wanted === before || (wanted >= min && wanted <= spec.maxReplicas)) return []
      return [
        `HorizontalPodAutoscaler ${metadata.name} wants ${wanted}, outside ${min} to ${spec.maxReplicas}`,
      ]
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
