import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { UpdateCommand, UpdateRequest } from '../../../shared/contract/update-request.ts';
import {
  emptyBody,
  reasonBody,
  rollbackBody,
  runBody,
  updateHistoryQuery,
} from '../../api/self-update-requests.ts';
import type { ExplainView } from '../../api/self-update-views.ts';
import { newUpdateRequest } from '../../updates/ask-supervisor.ts';
import type { SelfUpdate } from '../../updates/self-update.ts';
import type { AdminGate } from '../admin-gate.ts';
import { admitAdmins } from '../admin-scope.ts';
import { describeCaller } from '../describe-asker.ts';
import { refuseOtherMethods } from '../method-not-allowed.ts';
import { sendFailure } from '../problem-reply.ts';
import { acceptJsonBodies, readBy } from '../read-json-body.ts';

/** What the routes work with. */
export type SelfUpdateApiParts = { readonly selfUpdate: SelfUpdate; readonly gate: AdminGate };

type Wish = Partial<
  Pick<UpdateRequest, 'dryRun' | 'tag' | 'force' | 'version' | 'restoreDatabase'>
> & {
  readonly reason?: string | null | undefined;
};

/** What can be asked for: how its body is read, and with which status it is answered once it is durable. */
const COMMANDS = {
  run: {
    status: 202,
    read: (body: unknown): Wish => {
      const { dry_run: dryRun, tag = null, force, reason } = readBy(runBody, body);
      return { dryRun, tag, force, reason };
    },
  },
  rollback: {
    status: 202,
    read: (body: unknown): Wish => {
      const { version, restore_database: restoreDatabase, reason } = readBy(rollbackBody, body);
      return { version, restoreDatabase, reason };
    },
  },
  cancel: { status: 202, read: (body: unknown): Wish => readBy(reasonBody, body) },
  hold: { status: 200, read: (body: unknown): Wish => readBy(reasonBody, body) },
  resume: { status: 200, read: (body: unknown): Wish => readBy(reasonBody, body) },
} as const satisfies Partial<Record<UpdateCommand, unknown>>;

/** `/api/self-update`: how updates of this program stand, and having them made; for admins only. */
export function registerSelfUpdateApi(
  app: FastifyInstance,
  { selfUpdate, gate }: SelfUpdateApiParts,
): void {
  void app.register((scope, _options, done) => {
    admitAdmins(scope, gate, () => 'self-update-api');
    acceptJsonBodies(scope);
    scope.get('/api/self-update', () => selfUpdate.view());
    scope.get('/api/self-update/history', (request) =>
      selfUpdate.history(readBy(updateHistoryQuery, request.query)),
    );
    scope.get('/api/self-update/explain', async (): Promise<ExplainView> => {
      return { sentences: await selfUpdate.explain() };
    });
    for (const url of ['', '/history', '/explain'].map((end) => `/api/self-update${end}`)) {
      refuseOtherMethods(scope, url, 'GET', 'self-update-api');
    }
    for (const [command, { status, read }] of Object.entries(COMMANDS)) {
      const url = `/api/self-update/${command}`;
      scope.post(url, (request, reply) => {
        const asked = { command: command as keyof typeof COMMANDS, wish: read(bodyOf(request)) };
        return carryOut(selfUpdate, asked, status, request, reply);
      });
      refuseOtherMethods(scope, url, 'POST', 'self-update-api');
    }
    scope.post('/api/self-update/check', async (request, reply) => {
      readBy(emptyBody, bodyOf(request));
      const checked = await selfUpdate.check();
      request.note.meta = { command: 'check', ...(checked.ok && { ...checked.value }) };
      return checked.ok ? checked.value : sendFailure(request, reply, checked.failure);
    });
    refuseOtherMethods(scope, '/api/self-update/check', 'POST', 'self-update-api');
    done();
  });
}

/** Nothing at all is as good as an empty object. */
function bodyOf({ body }: FastifyRequest): unknown {
  return body === undefined ? {} : body;
}

async function carryOut(
  selfUpdate: SelfUpdate,
  { command, wish }: { readonly command: UpdateCommand; readonly wish: Wish },
  status: number,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<unknown> {
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
  return reply.code(status).send({ txn: asked.value.txn });
}
