import type { FastifyInstance } from 'fastify';
import { scheduleRunBody, scheduleRunParams } from '../../api/schedule-requests.ts';
import { type ScheduleView, scheduleRunView, scheduleView } from '../../api/schedule-views.ts';
import type { RunScheduledJob } from '../../scheduler/run-job.ts';
import type { AdminGate } from '../admin-gate.ts';
import { describeAsker } from '../describe-asker.ts';
import { sendFailure } from '../problem-reply.ts';
import { route, serveRoutes } from '../serve-routes.ts';

type Parts = {
  readonly gate: AdminGate;
  readonly view: () => ScheduleView;
  readonly run: RunScheduledJob;
};

/** `/api/schedule`: what begins by itself, when, and having it done now; for admins only. */
export function registerScheduleApi(app: FastifyInstance, { gate, view, run }: Parts): void {
  serveRoutes(app, { action: 'schedule-api', gate }, [
    route(
      {
        method: 'GET',
        url: '/api/schedule',
        needs: 'read',
        summary: 'What begins by itself, and what came of it the last time.',
        answers: { 200: scheduleView },
      },
      () => view(),
    ),
    route(
      {
        method: 'POST',
        url: '/api/schedule/:job/run',
        needs: 'admin',
        summary: 'Does a job of the schedule now.',
        about:
          'Its due times stay as they are. Where its task has not ended yet, that one is answered.',
        params: scheduleRunParams,
        body: scheduleRunBody,
        answers: { 202: scheduleRunView },
        refusals: ['SCHEDULE_JOB_NOT_FOUND'],
        fails: true,
      },
      async ({ params: { job }, body: { reason, every_s } }, request, reply) => {
        request.note.meta = { job };
        const everyMs = every_s === undefined ? undefined : every_s * 1_000;
        const begun = await run(job, describeAsker(request, reason), everyMs);
        if (!begun.ok) return sendFailure(request, reply, begun.failure);
        if (begun.value.task_id !== null) request.note.taskId = begun.value.task_id;
        return begun.value;
      },
    ),
  ]);
}
