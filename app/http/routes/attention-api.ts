import type { FastifyInstance } from 'fastify';
import {
  type AttentionView,
  attentionSeenBody,
  attentionSeenView,
  attentionView,
} from '../../api/attention-views.ts';
import type { AttentionTable } from '../../db/attention.ts';
import type { AdminGate } from '../admin-gate.ts';
import { describeCaller } from '../describe-asker.ts';
import { sendFailure } from '../problem-reply.ts';
import { route, serveRoutes } from '../serve-routes.ts';

type Parts = {
  readonly gate: AdminGate;
  readonly read: () => Promise<AttentionView>;
  readonly table: () => Pick<AttentionTable, 'mark'>;
};

/** `/api/attention`: everything that wants a person, and that one has seen it; for admins only. */
export function registerAttentionApi(app: FastifyInstance, { gate, read, table }: Parts): void {
  serveRoutes(app, { action: 'attention-api', gate }, [
    route(
      {
        method: 'GET',
        url: '/api/attention',
        needs: 'read',
        summary: 'Everything that wants a person, with what can be done.',
        answers: { 200: attentionView },
      },
      () => read(),
    ),
    route(
      {
        method: 'POST',
        url: '/api/attention/seen',
        needs: 'admin',
        summary: 'Says that somebody has seen an item.',
        about: 'The item stays until its cause is gone; the same on another day is not seen yet.',
        body: attentionSeenBody,
        answers: { 200: attentionSeenView },
        refusals: ['ATTENTION_NOT_FOUND'],
      },
      async ({ body: { id } }, request, reply) => {
        const { items } = await read();
        if (!items.some((item) => item.id === id)) {
          return sendFailure(request, reply, { code: 'ATTENTION_NOT_FOUND', detail: id });
        }
        const [now, by] = [Date.now(), describeCaller(request)];
        table().mark(id, { seen_at: now, seen_by: by });
        request.note.meta = { id };
        return { id, at: new Date(now).toISOString(), by };
      },
    ),
  ]);
}
