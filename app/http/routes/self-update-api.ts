import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type * as z from 'zod';
import type { UpdateCommand, UpdateRequest } from '../../../shared/contract/update-request.ts';
import {
  emptyBody,
  reasonBody,
  rollbackBody,
  runBody,
  updateHistoryQuery,
} from '../../api/self-update-requests.ts';
import {
  askedUpdateView,
  explainView,
  releaseCheckView,
  selfUpdateView,
  updateHistoryPageView,
} from '../../api/self-update-views.ts';
import { newUpdateRequest } from '../../updates/ask-supervisor.ts';
import type { SelfUpdate } from '../../updates/self-update.ts';
import type { AdminGate } from '../admin-gate.ts';
import { describeCaller } from '../describe-asker.ts';
import { sendFailure } from '../problem-reply.ts';
import { type Route, route, serveRoutes } from '../serve-routes.ts';

/** What the routes work with. */
export type SelfUpdateApiParts = { readonly selfUpdate: SelfUpdate; readonly gate: AdminGate };

type Wish = Partial<
  Pick<UpdateRequest, 'dryRun' | 'tag' | 'force' | 'version' | 'restoreDatabase'>
> & {
  readonly reason?: string | null | undefined;
};

/** What can be asked for: what its body becomes, and with which status it is answered once it is durable. */
const COMMANDS = [
  command('run', 202, 'Installs the newest release, or a given one.', runBody, (body) => {
    const { dry_run: dryRun, tag = null, force, reason } = body;
    return { dryRun, tag, force, reason };
  }),
  command('rollback', 202, 'Goes back to a version that was kept.', rollbackBody, (body) => {
    const { version, restore_database: restoreDatabase, reason } = body;
    return { version, restoreDatabase, reason };
  }),
  command('cancel', 202, 'Gives an update up that is open.', reasonBody, (body) => body),
  command('hold', 200, 'Lets no update begin by itself.', reasonBody, (body) => body),
  command('resume', 200, 'Lets updates begin by themselves again.', reasonBody, (body) => body),
] as const;

function command<B extends z.ZodType>(
  name: UpdateCommand,
  status: 200 | 202,
  summary: string,
  body: B,
  toWish: (body: z.output<B>) => Wish,
) {
  return { name, status, summary, body, read: (given: unknown) => toWish(given as z.output<B>) };
}

/** `/api/self-update`: how updates of this program stand, and having them made; for admins only. */
export function registerSelfUpdateApi(
  app: FastifyInstance,
  { selfUpdate, gate }: SelfUpdateApiParts,
): void {
  serveRoutes(app, { action: 'self-update-api', gate }, [
    ...questions(selfUpdate),
    ...COMMANDS.map(({ name, status, summary, body, read }) =>
      route(
        {
          method: 'POST',
          url: `/api/self-update/${name}`,
          needs: 'admin',
          summary,
          body: body as z.ZodType,
          answers: { [status]: askedUpdateView },
          fails: true,
        },
        ({ body: given }, request, reply) =>
          carryOut(selfUpdate, { command: name, wish: read(given) }, request, reply),
      ),
    ),
    route(
      {
        method: 'POST',
        url: '/api/self-update/check',
        needs: 'admin',
        summary: 'Looks which release would be installed; installs nothing.',
        body: emptyBody,
        answers: { 200: releaseCheckView },
        fails: true,
      },
      async (_given, request, reply) => {
        const checked = await selfUpdate.check();
        request.note.meta = { command: 'check', ...(checked.ok && { ...checked.value }) };
        return checked.ok ? checked.value : sendFailure(request, reply, checked.failure);
      },
    ),
  ]);
}

function questions(selfUpdate: SelfUpdate): readonly Route[] {
  return [
    route(
      {
        method: 'GET',
        url: '/api/self-update',
        needs: 'read',
        summary: 'How updates of the program stand.',
        answers: { 200: selfUpdateView },
      },
      () => selfUpdate.view(),
    ),
    route(
      {
        method: 'GET',
        url: '/api/self-update/history',
        needs: 'read',
        summary: 'Updates that are over, newest first.',
        query: updateHistoryQuery,
        answers: { 200: updateHistoryPageView },
      },
      ({ query }) => selfUpdate.history(query),
    ),
    route(
      {
        method: 'GET',
        url: '/api/self-update/explain',
        needs: 'read',
        summary: 'Why the program was updated, or why not yet.',
        answers: { 200: explainView },
      },
      async () => ({ sentences: await selfUpdate.explain() }),
    ),
  ];
}

async function carryOut(
  selfUpdate: SelfUpdate,
  { command, wish }: { readonly command: UpdateCommand; readonly wish: Wish },
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const asked = await selfUpdate.ask(
    newUpdateRequest(command, 'api', {
      ...wish,
      reason: wish.reason ?? null,
      by: describeCaller(request),
    }),
  );
  const { reason: _reason, ...plain } = wish;
  request.note.meta = { command, ...plain, ...(asked.ok && { txn: asked.value.txn }) };
  if (!asked.ok) return sendFailure(request, reply, asked.failure);
  return reply.send({ txn: asked.value.txn });
}
