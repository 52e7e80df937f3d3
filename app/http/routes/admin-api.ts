import type { FastifyInstance } from 'fastify';
import { tasksQuery } from '../../api/queries.ts';
import type { Store } from '../../db/store.ts';
import type { TaskRow } from '../../db/tasks.ts';
import { isTaskId } from '../../domain/identifier.ts';
import { listQuarantine } from '../../tasks/quarantine.ts';
import { listTasks, parseTaskCursor, readTask } from '../../tasks/read-tasks.ts';
import { stopTask } from '../../tasks/stop-task.ts';
import type { AdminGate } from '../admin-gate.ts';
import { admitAdmins } from '../admin-scope.ts';
import { refuseOtherMethods } from '../method-not-allowed.ts';
import { sendFailure } from '../problem-reply.ts';
import { readBy } from '../read-json-body.ts';

type Parts = {
  readonly store: Store;
  readonly gate: AdminGate;
  /** Tells the process of a task that its row has changed. */
  readonly tell: (task: TaskRow) => Promise<void>;
  /** Lets an image of a unit be deployed again; how many there were. */
  readonly release: (unit: string, digest: string) => Promise<number>;
};

/** Tasks and the quarantine, for admins only. */
export function registerAdminApi(
  app: FastifyInstance,
  { store, gate, tell, release }: Parts,
): void {
  void app.register((scope, _options, done) => {
    admitAdmins(scope, gate, (request) => `${request.routeOptions.url?.split('/')[2] ?? ''}-api`);
    scope.get('/api/tasks', (request) => {
      const { cursor, status, unit, limit } = readBy(tasksQuery, request.query);
      return listTasks(store, {
        limit,
        ...(status !== undefined && { status }),
        ...(unit !== undefined && { unit }),
        ...(cursor !== undefined && { before: parseTaskCursor(cursor) }),
      });
    });
    scope.get<{ Params: { id: string } }>('/api/tasks/:id', (request, reply) => {
      const { id } = request.params;
      const task = isTaskId(id) ? readTask(store, id) : undefined;
      if (!task) return sendFailure(request, reply, { code: 'TASK_NOT_FOUND', detail: '' });
      return task;
    });
    scope.post<{ Params: { id: string } }>('/api/tasks/:id/stop', async (request, reply) => {
      const { id } = request.params;
      const stopped = stopTask(store, id, `admin at ${request.ip}`, Date.now());
      request.note.meta = { command: 'stop', task: id };
      if (!stopped.ok) return sendFailure(request, reply, stopped.failure);
      await tell(stopped.value);
      return reply.code(202).send(readTask(store, id));
    });
    refuseOtherMethods(scope, '/api/tasks/:id/stop', 'POST', 'admin-api');
    scope.get('/api/quarantine', () => ({ images: listQuarantine(store, Date.now()) }));
    for (const url of ['/api/tasks', '/api/tasks/:id', '/api/quarantine']) {
      refuseOtherMethods(scope, url, 'GET', 'admin-api');
    }
    scope.delete<{ Params: { unit: string; digest: string } }>(
      '/api/quarantine/:unit/:digest',
      async (request, reply) => {
        const { unit, digest } = request.params;
        const released = await release(unit, digest);
        if (released > 0) return reply.status(204).send();
        const detail = `${digest} of ${unit}.`;
        return sendFailure(request, reply, { code: 'QUARANTINE_NOT_FOUND', detail });
      },
    );
    refuseOtherMethods(scope, '/api/quarantine/:unit/:digest', 'DELETE', 'admin-api');
    done();
  });
}
