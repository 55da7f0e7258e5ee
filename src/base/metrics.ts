import { Counter, Gauge, Histogram, Registry } from 'prom-client'

/**
 * Prometheus metrics of one control plane. A metric is made where it is first asked for, by name; asking again gives
 * the same one. Several control planes in one process (simulation, tests) never share one.
 */
export interface Metrics {
  counter(name: string, help: string, labels?: readonly string[]): Counter
  gauge(name: string, help: string, labels?: readonly string[], collect?: () => number): Gauge
  /** Buckets in seconds unless given; Prometheus' default ones. */
  histogram(name: string, help: string, labels?: readonly string[], buckets?: readonly number[]): Histogram
  /** The text exposition format. */
  text(): Promise<string>
  readonly contentType: string
}

export function createMetrics(): Metrics {
  const registry = new Registry()
  const registers = [registry]
  const made = <T>(name: string, make: () => T): T =>
    (registry.getSingleMetric(name) as T | undefined) ?? make()
  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    counter: (name, help, labels = []) =>
      made(name, () => new Counter({ name, help, labelNames: [...labels], registers })),
    gauge: (name, help, labels = [], collect) =>
      made(
        name,
        () =>
          new Gauge({
            name,
            help,
            labelNames: [...labels],
            registers,
            ...(collect
              ? {
                  collect() {
                    this.set(collect())
                  },
                }
              : {}),
          }),
      ),
    histogram: (name, help, labels = [], buckets) =>
      made(
        name,
        () =>
          new Histogram({
            name,
            help,
            labelNames: [...labels],
            registers,
            ...(buckets ? { buckets: [...buckets] } : {}),
          }),
      ),
  }
}
