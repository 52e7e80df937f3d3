import { Readable } from 'node:stream';
import type * as z from 'zod';
import {
  taskCountsQuery,
  taskExportQuery,
  taskLogsQuery,
  taskParams,
  tasksQuery,
} from '../../api/task-queries.ts';
import { taskCountsView, taskDetailView, taskLogsView, taskPageView } from '../../api/views.ts';
import type { Store } from '../../db/store.ts';
import type { TaskFilter } from '../../db/task-pages.ts';
import { exportTask } from '../../tasks/export-task.ts';
import {
  countTasks,
  listTasks,
  parseTaskCursor,
  readTask,
  readTaskLogs,
} from '../../tasks/read-tasks.ts';
import { sendFailure } from '../problem-reply.ts';
import { type Route, route } from '../serve-routes.ts';
import { findTask } from './find-task.ts';

/** What can be asked of tasks. */
export function taskQuestions(store: Store): readonly Route[] {
  return [
    route(
      {
        method: 'GET',
        url: '/api/tasks',
        needs: 'read',
        summary: 'The tasks, newest first.',
        query: tasksQuery,
        answers: { 200: taskPageView },
      },
      ({ query: { cursor, limit, status, kind, ...filters } }) =>
        listTasks(store, {
          ...toFilter(filters),
          limit,
          ...(status && { statuses: status }),
          ...(kind && { kinds: kind }),
          ...(cursor !== undefined && { before: parseTaskCursor(cursor) }),
        }),
    ),
    route(
      {
        method: 'GET',
        url: '/api/tasks/counts',
        needs: 'read',
        summary: 'How many tasks there are, by state and kind.',
        query: taskCountsQuery,
        answers: { 200: taskCountsView },
      },
      ({ query }) => countTasks(store, toFilter(query)),
    ),
    ...questionsOfOne(store),
  ];
}

function questionsOfOne(store: Store): readonly Route[] {
  return [
    route(
      {
        method: 'GET',
        url: '/api/tasks/:id',
        needs: 'read',
        summary: 'One task, with the beginning of its log.',
        params: taskParams,
        answers: { 200: taskDetailView },
        refusals: ['TASK_NOT_FOUND'],
      },
      ({ params }, request, reply) => {
        const found = findTask(store, params.id);
        return found.ok ? readTask(store, found.value) : sendFailure(request, reply, found.failure);
      },
    ),
    route(
      {
        method: 'GET',
        url: '/api/tasks/:id/logs',
        needs: 'read',
        summary: 'The log of a task, part by part.',
        params: taskParams,
        query: taskLogsQuery,
        answers: { 200: taskLogsView },
        refusals: ['TASK_NOT_FOUND'],
      },
      ({ params, query }, request, reply) => {
        const found = findTask(store, params.id);
        if (!found.ok) return sendFailure(request, reply, found.failure);
        return readTaskLogs(store, found.value, query);
      },
    ),
    route(
      {
        method: 'GET',
        url: '/api/tasks/:id/export',
        needs: 'read',
        summary: 'One task with all of its log, as a file.',
        params: taskParams,
        query: taskExportQuery,
        answers: {
          200: {
            media: ['application/json', 'text/plain'],
            about: 'What `GET /api/tasks/ID` answers, with the whole log; or text for people.',
          },
        },
        refusals: ['TASK_NOT_FOUND'],
      },
      ({ params, query: { format } }, request, reply) => {
        const found = findTask(store, params.id);
        const parts = found.ok ? exportTask(store, found.value, format) : undefined;
        if (!found.ok || !parts) {
          return sendFailure(request, reply, { code: 'TASK_NOT_FOUND', detail: '' });
        }
        const [type, ending] =
          format === 'json' ? ['application/json', 'json'] : ['text/plain', 'txt'];
        return reply
          .type(`${type}; charset=utf-8`)
          .header('content-disposition', `attachment; filename="${found.value}.${ending}"`)
          .send(Readable.from(parts));
      },
    ),
  ];
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
