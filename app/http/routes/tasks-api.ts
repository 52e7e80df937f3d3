import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type * as z from 'zod';
import type { Settings } from '../../../shared/config/settings.ts';
import { type Outcome, succeed } from '../../../shared/contract/outcome.ts';
import { startedTasksView } from '../../api/deployment-views.ts';
import { emptyBody } from '../../api/self-update-requests.ts';
import { newTasksBody, retryBody, taskParams } from '../../api/task-queries.ts';
import { taskDetailView } from '../../api/views.ts';
import type { Store } from '../../db/store.ts';
import { MAINTENANCE_UNIT } from '../../domain/maintenance.ts';
import { claimOfTask } from '../../tasks/claim-of-task.ts';
import { forceStopTask } from '../../tasks/force-stop-task.ts';
import type { ManualTasks } from '../../tasks/manual-tasks.ts';
import { readTask } from '../../tasks/read-tasks.ts';
import { stopTask } from '../../tasks/stop-task.ts';
import type { TaskDispatcher } from '../../tasks/task-dispatcher.ts';
import type { KnownUnits } from '../../units/known-units.ts';
import type { AdminGate } from '../admin-gate.ts';
import { describeAsker } from '../describe-asker.ts';
import { sendFailure } from '../problem-reply.ts';
import { deployRoute, type Route, serveRoutes } from '../serve-routes.ts';
import { findTask } from './find-task.ts';
import { taskQuestions } from './task-questions.ts';

type Parts = {
  readonly store: Store;
  readonly gate: AdminGate;
  readonly settings: Pick<Settings, 'sshTarget'>;
  readonly known: Pick<KnownUnits, 'choose'>;
  readonly deployments: Pick<ManualTasks, 'startAll' | 'maintain' | 'retry'>;
  readonly dispatcher: Pick<TaskDispatcher, 'tell' | 'kill'>;
};

/** `/api/tasks`: what was, is and will be done, and what a person does about it; for admins only. */
export function registerTasksApi(app: FastifyInstance, parts: Parts): void {
  serveRoutes(app, { action: 'tasks-api', gate: parts.gate }, [
    ...taskQuestions(parts.store),
    beginning(parts),
    ...commands(parts),
  ]);
}

function beginning({ known, deployments }: Parts): Route {
  return deployRoute(
    {
      method: 'POST',
      url: '/api/tasks',
      summary: 'Deploys units, prunes or backs up.',
      body: newTasksBody,
      answers: { 202: startedTasksView },
      refusals: ['UNIT_NOT_CONFIGURED'],
    },
    ({ body }) => (body.kind === 'deploy' ? body.units : 'admin'),
    ({ body }, request, reply) => {
      if (body.kind !== 'deploy') {
        request.note.meta = { command: body.kind };
        const task_id = deployments.maintain(body.kind, describeAsker(request, body.reason));
        return { tasks: [{ unit: MAINTENANCE_UNIT, task_id }] };
      }
      const { units: names, version, reason } = body;
      request.note.meta = { command: 'deploy', units: names.slice(0, 20), count: names.length };
      const chosen = new Set<string>();
      for (const name of names) {
        const found = known.choose('person', name);
        if (!found.ok) return sendFailure(request, reply, found.failure);
        chosen.add(found.value);
      }
      const asker = describeAsker(request, reason);
      return deployments.startAll([...chosen], { version, ...asker });
    },
  );
}

function commands({ store, settings, deployments, dispatcher }: Parts): readonly Route[] {
  type Act<B> = (
    id: string,
    request: FastifyRequest,
    body: B,
  ) => Promise<Outcome<string>> | Outcome<string>;
  const command = <B extends z.ZodType>(
    [name, summary]: readonly [string, string],
    body: B,
    act: Act<z.output<B>>,
  ): Route =>
    deployRoute(
      {
        method: 'POST',
        url: `/api/tasks/:id/${name}`,
        summary,
        params: taskParams,
        body: body as z.ZodType,
        answers: { 202: taskDetailView },
        refusals: ['TASK_NOT_FOUND'],
        fails: true,
      },
      ({ params: { id } }) => claimOfTask(store, id),
      async ({ params: { id }, body: given }, request, reply): Promise<FastifyReply> => {
        request.note.meta = { command: name, task: id.slice(0, 50) };
        const found = findTask(store, id);
        const done = found.ok ? await act(found.value, request, given as z.output<B>) : found;
        if (!done.ok) return sendFailure(request, reply, done.failure);
        return reply.send(readTask(store, done.value));
      },
    );
  return [
    command(['stop', 'Asks a task to end.'], emptyBody, async (id, request) => {
      const stopped = stopTask(store, id, describeAsker(request).by, Date.now());
      if (!stopped.ok) return stopped;
      await dispatcher.tell(stopped.value);
      return succeed(id);
    }),
    command(['force-stop', 'Kills the processes of a task.'], emptyBody, async (id, request) => {
      const { by } = describeAsker(request);
      const target = settings.sshTarget;
      const closed = forceStopTask(store, id, { by, nowMs: Date.now(), target });
      const killed = closed.ok ? await dispatcher.kill(closed.value) : closed;
      return killed.ok ? succeed(id) : killed;
    }),
    command(['retry', 'Does anew what has ended.'], retryBody, (id, request, { reason }) =>
      deployments.retry(id, describeAsker(request, reason)),
    ),
  ];
}
