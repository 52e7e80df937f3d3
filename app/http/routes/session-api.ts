import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Identity } from '../../access/identity.ts';
import type { SessionBook } from '../../access/session-book.ts';
import { viewFailure } from '../../api/problem.ts';
import { CALLER_REFUSALS } from '../../api/route-form.ts';
import {
  type CALLER_RIGHTS,
  type SessionView,
  sessionView,
  signInBody,
} from '../../api/session-views.ts';
import {
  type Access,
  findBeyond,
  mayDeployUnit,
  meets,
  type Need,
  toScopes,
} from '../../domain/access.ts';
import type { Trigger } from '../../domain/unit-triggers.ts';
import type { KnownUnits } from '../../units/known-units.ts';
import type { AdminGate } from '../admin-gate.ts';
import { sendFailure } from '../problem-reply.ts';
import { route, serveRoutes } from '../serve-routes.ts';
import { readSessionCookie, setSessionCookie } from '../session-cookie.ts';

type Parts = {
  readonly gate: AdminGate;
  readonly known: KnownUnits;
  readonly sessions: SessionBook;
};

/**
 * `/api/session`: who calls, signing in with a token, and signing out. `GET` is for everybody, who is told what the gate makes
 * of the call; the units only for who may have to do with them.
 */
export function registerSessionApi(app: FastifyInstance, parts: Parts): void {
  const { gate, known, sessions } = parts;
  changeCookies(app, sessions);
  serveRoutes(app, { action: 'session-api' }, [
    route(
      {
        method: 'GET',
        url: '/api/session',
        needs: 'anyone',
        summary: 'Who calls, how that is known, and what the caller may do to which unit.',
        answers: { 200: sessionView },
      },
      (_given, request) => describeSession(parts, request),
    ),
    route(
      {
        method: 'POST',
        url: '/api/session',
        needs: 'anyone',
        action: 'sign-in',
        summary: 'Signs somebody in with a token: what it allows, a cookie allows from now on.',
        body: signInBody,
        answers: { 200: sessionView },
        refusals: [...CALLER_REFUSALS, 'CROSS_SITE_REQUEST'],
        fails: true,
      },
      ({ body: { token } }, request, reply) => {
        const page = app.sites.ofPage(request);
        const admitted = page.ok ? gate(request, token) : page;
        if (!admitted.ok) return sendFailure(request, reply, admitted.failure);
        const { access, name, id } = admitted.value;
        request.note.actor = name;
        if (id === null) return describe(known, admitted.value);
        if (!meets(access, 'read') && !meets(access, 'deploy')) {
          const detail = `${name} allows nothing that a person could do.`;
          return sendFailure(request, reply, { code: 'SCOPE_MISSING', detail });
        }
        const secret = sessions.begin(id);
        const begun = sessions.find(secret);
        if (!begun.ok) return sendFailure(request, reply, begun.failure);
        setSessionCookie(request, reply, { secret, endsAt: begun.value.endsAt ?? 0 });
        return describe(known, begun.value);
      },
    ),
    route(
      {
        method: 'DELETE',
        url: '/api/session',
        needs: 'anyone',
        action: 'sign-out',
        summary: 'Signs out. Where nobody has signed in, nothing is done.',
        answers: { 204: null },
        refusals: ['CSRF_HEADER_MISSING', 'CROSS_SITE_REQUEST'],
      },
      (_given, request, reply) => signOut(sessions, request, reply),
    ),
  ]);
}

/** Whoever has signed in has another cookie now and then. Streams have sent their head already: they are no time for it. */
function changeCookies(app: FastifyInstance, sessions: SessionBook): void {
  app.addHook('onSend', (request, reply, payload, done) => {
    const { caller } = request;
    const secret = caller?.by === 'session' && readSessionCookie(request);
    const next = secret && caller.id !== null ? sessions.rotate(caller.id, secret) : undefined;
    if (next !== undefined) {
      setSessionCookie(request, reply, { secret: next, endsAt: caller?.endsAt ?? 0 });
    }
    done(null, payload);
  });
}

function signOut(
  sessions: SessionBook,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const secret = readSessionCookie(request);
  if (secret === undefined) return reply.send();
  const checked = request.server.sites.ofChange(request);
  if (!checked.ok) return sendFailure(request, reply, checked.failure);
  const found = sessions.find(secret);
  if (found.ok && found.value.id !== null) {
    request.note.actor = found.value.name;
    sessions.end(found.value.id);
  }
  setSessionCookie(request, reply, undefined);
  return reply.send();
}

/** What each right wants. */
const RIGHTS = [
  ['read', 'read'],
  ['deploy', 'deploy'],
  ['manage', 'admin'],
  ['self-update', 'admin'],
] as const satisfies readonly (readonly [(typeof CALLER_RIGHTS)[number], Need])[];

function describeSession({ gate, known }: Parts, request: FastifyRequest): SessionView {
  const admitted = gate(request);
  if (!admitted.ok) {
    const refusal = viewFailure(admitted.failure);
    const nothing = { scopes: [], ends_at: null, may: [], units: [] };
    return { caller: null, recognised_by: null, refusal, ...nothing };
  }
  request.note.actor = admitted.value.name;
  request.caller = admitted.value;
  return describe(known, admitted.value);
}

function describe(known: KnownUnits, { name, by, access, endsAt }: Identity): SessionView {
  return {
    caller: name,
    recognised_by: by,
    refusal: null,
    scopes: toScopes(access),
    ends_at: endsAt === null ? null : new Date(endsAt).toISOString(),
    may: RIGHTS.filter(([, need]) => meets(access, need)).map(([right]) => right),
    units: known
      .all()
      .filter(({ unit }) => meets(access, 'read') || mayDeployUnit(access, unit))
      .map(({ unit }) => viewUnit(known, access, unit)),
  };
}

function viewUnit(known: KnownUnits, access: Access, unit: string): SessionView['units'][number] {
  const right = (trigger: Trigger) => {
    const admission = known.admit(trigger, unit);
    return admission.allowed
      ? { allowed: true, reason: null }
      : { allowed: false, reason: admission.reason };
  };
  const own = (trigger: Trigger, isInScope: boolean) =>
    isInScope ? right(trigger) : { allowed: false, reason: 'out-of-scope' as const };
  return {
    unit,
    deploy: own('person', mayDeployUnit(access, unit)),
    deploy_all: own('batch', findBeyond(access, 'all') === null),
    webhook: right('webhook'),
    schedule: right('schedule'),
  };
}
