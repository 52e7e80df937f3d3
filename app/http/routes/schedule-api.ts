import type { FastifyInstance } from 'fastify';
import { scheduleRunBody } from '../../api/schedule-requests.ts';
import type { ScheduleView } from '../../api/schedule-views.ts';
import type { RunScheduledJob } from '../../scheduler/run-job.ts';
import type { AdminGate } from '../admin-gate.ts';
import { admitAdmins } from '../admin-scope.ts';
import { describeAsker } from '../describe-asker.ts';
import { refuseOtherMethods } from '../method-not-allowed.ts';
import { sendFailure } from '../problem-reply.ts';
import { acceptJsonBodies, readBy } from '../read-json-body.ts';

type Parts = {
  readonly gate: AdminGate;
  readonly view: () => ScheduleView;
  readonly run: RunScheduledJob;
};

const ACTION = 'schedule-api';

/** `/api/schedule`: what begins by itself, when, and having it done now; for admins only. */
export function registerScheduleApi(app: FastifyInstance, { gate, view, run }: Parts): void {
  void app.register((scope, _options, done) => {
    admitAdmins(scope, gate, () => ACTION);
    acceptJsonBodies(scope);
    scope.get('/api/schedule', () => view());
    refuseOtherMethods(scope, '/api/schedule', 'GET', ACTION);
    const url = '/api/schedule/:job/run';
    scope.post<{ Params: { job: string } }>(url, async (request, reply) => {
      const { reason } = readBy(scheduleRunBody, request.body ?? {});
      const { job } = request.params;
      request.note.meta = { job: job.slice(0, 50) };
      const begun = await run(job, describeAsker(request, reason));
      if (!begun.ok) return sendFailure(request, reply, begun.failure);
      if (begun.value.task_id !== null) request.note.taskId = begun.value.task_id;
      return reply.code(202).send(begun.value);
    });
    refuseOtherMethods(scope, url, 'POST', ACTION);
    done();
  });
}
