import type { FastifyInstance } from 'fastify';
import type { Metric } from '../../metrics/make-metric.ts';
import type { AdminGate } from '../admin-gate.ts';
import { route, serveRoutes } from '../serve-routes.ts';

type Parts = {
  readonly gate: AdminGate;
  readonly isOpen: boolean;
  readonly list: () => Promise<readonly Metric[]>;
};

/** `GET /metrics`: numbers for Prometheus; for who may look, who has PODUP_METRICS_TOKEN, or everybody. */
export function registerMetrics(app: FastifyInstance, { gate, isOpen, list }: Parts): void {
  serveRoutes(app, { action: 'metrics', gate }, [
    route(
      {
        method: 'GET',
        url: '/metrics',
        needs: isOpen ? 'anyone' : 'monitor',
        summary: 'Numbers for Prometheus.',
        about: 'Open to PODUP_METRICS_TOKEN too, or, with PODUP_METRICS_OPEN, to everybody.',
        answers: { 200: { media: ['text/plain'], about: 'The text format of Prometheus, 0.0.4.' } },
      },
      async (_given, _request, reply) => {
        // Not loaded where nobody asks.
        const { formatMetrics, METRICS_TYPE } = await import('../../metrics/format-metrics.ts');
        return reply.type(METRICS_TYPE).send(await formatMetrics(await list()));
      },
    ),
  ]);
}
