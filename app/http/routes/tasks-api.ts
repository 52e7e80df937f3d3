import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type * as z from 'zod';
import type { Settings } from '../../../shared/config/settings.ts';
import { fail, type Outcome, succeed } from '../../../shared/contract/outcome.ts';
import {
  newTasksBody,
  retryBody,
  taskCountsQuery,
  taskExportQuery,
  taskLogsQuery,
  tasksQuery,
} from '../../api/task-queries.ts';
import type { Store } from '../../db/store.ts';
import type { TaskFilter } from '../../db/task-pages.ts';
import { findConfigured } from '../../domain/configured-unit.ts';
import { isTaskId } from '../../domain/identifier.ts';
import { MAINTENANCE_UNIT } from '../../domain/maintenance.ts';
import { exportTask } from '../../tasks/export-task.ts';
import { forceStopTask } from '../../tasks/force-stop-task.ts';
import type { ManualTasks } from '../../tasks/manual-tasks.ts';
import {
  countTasks,
  listTasks,
  parseTaskCursor,
  readTask,
  readTaskLogs,
} from '../../tasks/read-tasks.ts';
import { stopTask } from '../../tasks/stop-task.ts';
import type { TaskDispatcher } from '../../tasks/task-dispatcher.ts';
import type { AdminGate } from '../admin-gate.ts';
import { admitAdmins } from '../admin-scope.ts';
import { describeAsker } from '../describe-asker.ts';
import { refuseOtherMethods } from '../method-not-allowed.ts';
import { sendFailure } from '../problem-reply.ts';
import { acceptJsonBodies, readBy } from '../read-json-body.ts';

type Parts = {
  readonly store: Store;
  readonly gate: AdminGate;
  readonly settings: Pick<Settings, 'units' | 'sshTarget'>;
  readonly deployments: Pick<ManualTasks, 'startAll' | 'maintain' | 'retry'>;
  readonly dispatcher: Pick<TaskDispatcher, 'tell' | 'kill'>;
};

type OfOne = { Params: { id: string } };

const ACTION = 'tasks-api';

/** `/api/tasks`: what was, is and will be done, and what a person does about it; for admins only. */
export function registerTasksApi(app: FastifyInstance, parts: Parts): void {
  void app.register((scope, _options, done) => {
    admitAdmins(scope, parts.gate, () => ACTION);
    acceptJsonBodies(scope);
    addQuestions(scope, parts);
    addCommands(scope, parts);
    done();
  });
}

function addQuestions(scope: FastifyInstance, { store }: Parts): void {
  scope.get('/api/tasks', (request) => {
    const { cursor, limit, status, kind, ...filters } = readBy(tasksQuery, request.query);
    return listTasks(store, {
      ...toFilter(filters),
      limit,
      ...(status && { statuses: status }),
      ...(kind && { kinds: kind }),
      ...(cursor !== undefined && { before: parseTaskCursor(cursor) }),
    });
  });
  scope.get('/api/tasks/counts', (request) =>
    countTasks(store, toFilter(readBy(taskCountsQuery, request.query))),
  );
  scope.get<OfOne>('/api/tasks/:id', (request, reply) => {
    const found = findTask(store, request.params.id);
    return found.ok ? readTask(store, found.value) : sendFailure(request, reply, found.failure);
  });
  scope.get<OfOne>('/api/tasks/:id/logs', (request, reply) => {
    const range = readBy(taskLogsQuery, request.query);
    const found = findTask(store, request.params.id);
    if (!found.ok) return sendFailure(request, reply, found.failure);
    return readTaskLogs(store, found.value, range);
  });
  scope.get<OfOne>('/api/tasks/:id/export', (request, reply) => {
    const { format } = readBy(taskExportQuery, request.query);
    const found = findTask(store, request.params.id);
    const parts = found.ok ? exportTask(store, found.value, format) : undefined;
    if (!found.ok || !parts) {
      return sendFailure(request, reply, { code: 'TASK_NOT_FOUND', detail: '' });
    }
    const [type, ending] = format === 'json' ? ['application/json', 'json'] : ['text/plain', 'txt'];
    return reply
      .type(`${type}; charset=utf-8`)
      .header('content-disposition', `attachment; filename="${found.value}.${ending}"`)
      .send(Readable.from(parts));
  });
  refuseOtherMethods(scope, '/api/tasks', ['GET', 'POST'], ACTION);
  for (const url of ['/counts', '/:id', '/:id/logs', '/:id/export']) {
    refuseOtherMethods(scope, `/api/tasks${url}`, 'GET', ACTION);
  }
}

function addCommands(scope: FastifyInstance, parts: Parts): void {
  const { store, settings, deployments, dispatcher } = parts;
  scope.post('/api/tasks', (request, reply) => {
    const body = readBy(newTasksBody, request.body ?? {});
    if (body.kind !== 'deploy') {
      request.note.meta = { command: body.kind };
      const task_id = deployments.maintain(body.kind, describeAsker(request, body.reason));
      return reply.code(202).send({ tasks: [{ unit: MAINTENANCE_UNIT, task_id }] });
    }
    const { units: names, version, reason } = body;
    request.note.meta = { command: 'deploy', units: names.slice(0, 20), count: names.length };
    const chosen = new Set<string>();
    for (const name of names) {
      const found = findConfigured(settings.units, name);
      if (!found.ok) return sendFailure(request, reply, found.failure);
      chosen.add(found.value);
    }
    const asker = describeAsker(request, reason);
    return reply.code(202).send(deployments.startAll([...chosen], { version, ...asker }));
  });
  const command = (
    name: string,
    act: (id: string, request: FastifyRequest) => Promise<Outcome<string>> | Outcome<string>,
  ) => {
    const url = `/api/tasks/:id/${name}`;
    scope.post<OfOne>(url, async (request, reply): Promise<FastifyReply> => {
      const { id } = request.params;
      request.note.meta = { command: name, task: id.slice(0, 50) };
      const found = findTask(store, id);
      const done = found.ok ? await act(found.value, request) : found;
      if (!done.ok) return sendFailure(request, reply, done.failure);
      return reply.code(202).send(readTask(store, done.value));
    });
    refuseOtherMethods(scope, url, 'POST', ACTION);
  };
  command('stop', async (id, request) => {
    const stopped = stopTask(store, id, describeAsker(request).by, Date.now());
    if (!stopped.ok) return stopped;
    await dispatcher.tell(stopped.value);
    return succeed(id);
  });
  command('force-stop', async (id, request) => {
    const { by } = describeAsker(request);
    const target = settings.sshTarget;
    const closed = forceStopTask(store, id, { by, nowMs: Date.now(), target });
    const killed = closed.ok ? await dispatcher.kill(closed.value) : closed;
    return killed.ok ? succeed(id) : killed;
  });
  command('retry', (id, request) => {
    const { reason } = readBy(retryBody, request.body ?? {});
    return deployments.retry(id, describeAsker(request, reason));
  });
}

/** What is no id of a task is asked of nobody. */
function findTask(store: Store, id: string): Outcome<string> {
  const isThere = isTaskId(id) && store.tasks.find(id) !== undefined;
  return isThere ? succeed(id) : fail('TASK_NOT_FOUND', '');
}

function toFilter(query: z.output<typeof taskCountsQuery>): TaskFilter {
  const { unit, unit_query: unitPart, q: text, batch: batchId, retry_of: retryOf } = query;
  return {
    ...(unit !== undefined && { unit }),
    ...(unitPart !== undefined && { unitPart }),
    ...(text !== undefined && { text }),
    ...(batchId !== undefined && { batchId }),
    ...(retryOf !== undefined && { retryOf }),
    ...(query.from !== undefined && { from: Date.parse(query.from) }),
    ...(query.to !== undefined && { to: Date.parse(query.to) }),
  };
}
