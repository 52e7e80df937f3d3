import { type Metric as PromMetric, Registry } from 'prom-client';
import type { Metric } from './make-metric.ts';

/** The media type of the text format of Prometheus. */
export const METRICS_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;

/** Writes metrics in the text format of Prometheus. A metric without a number is left out. */
export function formatMetrics(metrics: readonly Metric[]): Promise<string> {
  const registry = new Registry();
  for (const metric of metrics) {
    if (metric.values.length === 0) continue;
    const { name } = metric;
    // What the registry asks of a metric: the numbers are known already, so nothing is counted by the library.
    registry.registerMetric({ name, get: () => metric } as unknown as PromMetric);
  }
  return registry.metrics();
}
