/**
 * The order in which kinds are applied: what others need comes first (gitops-tools.md 2.2 compares Argo CD's and Flux'
 * orders). Pruning goes backwards. Kinds of one wave are applied together.
 */
export const WAVE = {
  namespace: 0,
  definitions: 2,
  nodes: 5,
  classes: 10,
  policy: 20,
  identity: 30,
  configuration: 40,
  storage: 45,
  network: 50,
  workload: 60,
  disruption: 70,
  custom: 75,
  records: 80,
  admission: 85,
  application: 90,
} as const
