import type { FastifyInstance } from 'fastify';
import { startedTaskView } from '../../api/deployment-views.ts';
import { pruneBody, pruneView } from '../../api/prune-views.ts';
import type { PruneService } from '../../tasks/prune-service.ts';
import type { AdminGate } from '../admin-gate.ts';
import { describeAsker } from '../describe-asker.ts';
import { sendFailure } from '../problem-reply.ts';
import { route, serveRoutes } from '../serve-routes.ts';

type Parts = { readonly gate: AdminGate; readonly prune: PruneService };

const HOUR_MS = 3_600_000;

/** `POST /api/prune-state`: removes what is old, or says what would go; for admins only. */
export function registerPruneApi(app: FastifyInstance, { gate, prune }: Parts): void {
  serveRoutes(app, { action: 'prune-state-api', gate }, [
    route(
      {
        method: 'POST',
        url: '/api/prune-state',
        needs: 'admin',
        summary: 'Removes what is older than it is kept for, or says what would go.',
        about:
          'A dry run counts and touches nothing. Else a task does it; 202 with its id where it takes longer than a minute.',
        body: pruneBody,
        answers: { 200: pruneView, 202: startedTaskView },
        fails: true,
      },
      async ({ body }, request, reply) => {
        const { max_age_hours: hours, dry_run: isDryRun, reason } = body;
        const maxAgeMs = Math.round(hours * HOUR_MS);
        request.note.meta = { max_age_hours: hours, dry_run: isDryRun };
        if (isDryRun) return prune.count(maxAgeMs);
        const { taskId, ended } = prune.begin(maxAgeMs, describeAsker(request, reason));
        request.note.taskId = taskId;
        const done = await ended;
        if (!done.ok) return sendFailure(request, reply, done.failure);
        return done.value ?? reply.code(202).send({ task_id: taskId });
      },
    ),
  ]);
}
