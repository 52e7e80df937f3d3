import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Outcome } from '../../../shared/contract/outcome.ts';
import {
  createHookBody,
  hookParams,
  hookSecretParams,
  rotateHookBody,
  updateHookBody,
} from '../../api/hook-requests.ts';
import { hookWithSecretView, storedHooksView, storedHookView } from '../../api/hook-views.ts';
import type { HookAdmin } from '../../hooks/manage-hooks.ts';
import type { AdminGate } from '../admin-gate.ts';
import { describeCaller } from '../describe-asker.ts';
import { sendFailure } from '../problem-reply.ts';
import { type Route, route, serveRoutes } from '../serve-routes.ts';

type Parts = { readonly gate: AdminGate; readonly hooks: HookAdmin };

/** What any change of a hook may be refused for. */
const CHANGES = ['HOOK_NOT_FOUND', 'HOOK_NOT_KEPT', 'REVOCATION_NOT_KEPT'] as const;

/** `/api/hooks`: who may report images, and for what; for admins only. A secret is shown once, when it is made. */
export function registerHooksApi(app: FastifyInstance, { gate, hooks }: Parts): void {
  serveRoutes(app, { action: 'hooks-api', gate }, [
    ...readRoutes(hooks),
    ...changeRoutes(hooks),
    ...secretRoutes(hooks),
    switchRoute(hooks, 'enable'),
    switchRoute(hooks, 'disable'),
  ]);
}

function readRoutes(hooks: HookAdmin): readonly Route[] {
  return [
    route(
      {
        method: 'GET',
        url: '/api/hooks',
        needs: 'read',
        summary: 'Who may report images.',
        answers: { 200: storedHooksView },
      },
      () => ({ hooks: hooks.list() }),
    ),
    route(
      {
        method: 'GET',
        url: '/api/hooks/:name',
        needs: 'read',
        summary: 'One hook.',
        params: hookParams,
        answers: { 200: storedHookView },
        refusals: ['HOOK_NOT_FOUND'],
      },
      ({ params: { name } }, request, reply) => answer(request, reply, hooks.find(name)),
    ),
  ];
}

function changeRoutes(hooks: HookAdmin): readonly Route[] {
  return [
    route(
      {
        method: 'POST',
        url: '/api/hooks',
        needs: 'admin',
        summary: 'Makes a hook, and shows its secret this once.',
        body: createHookBody,
        answers: { 201: hookWithSecretView },
        refusals: [
          ...['HOOK_INVALID', 'HOOK_EXISTS', 'HOOK_LIMIT_REACHED'],
          ...['HOOK_KEY_UNUSABLE', 'HOOK_NOT_KEPT'],
        ] as const,
      },
      ({ body }, request, reply) => {
        request.note.meta = { hook: body.name, ...body };
        return answer(request, reply, hooks.create(body, describeCaller(request)));
      },
    ),
    route(
      {
        method: 'PATCH',
        url: '/api/hooks/:name',
        needs: 'admin',
        summary: 'Changes a hook; what the body does not name stays as it is.',
        ...{ params: hookParams, body: updateHookBody, answers: { 200: storedHookView } },
        refusals: [...CHANGES, 'HOOK_INVALID'],
      },
      ({ params: { name }, body }, request, reply) => {
        request.note.meta = { hook: name, ...body };
        return answer(request, reply, hooks.update(name, body, describeCaller(request)));
      },
    ),
    route(
      {
        method: 'DELETE',
        url: '/api/hooks/:name',
        needs: 'admin',
        summary: 'Removes a hook and its secrets; what it has reported stays.',
        ...{ params: hookParams, answers: { 204: null }, refusals: CHANGES },
      },
      ({ params: { name } }, request, reply) => {
        request.note.meta = { hook: name };
        const removed = hooks.remove(name, describeCaller(request));
        return removed.ok ? reply.send() : sendFailure(request, reply, removed.failure);
      },
    ),
  ];
}

function secretRoutes(hooks: HookAdmin): readonly Route[] {
  return [
    route(
      {
        method: 'POST',
        url: '/api/hooks/:name/rotate',
        needs: 'admin',
        summary: 'Makes a new secret for a hook, and shows it this once.',
        about:
          'The one before it opens the hook as well until it is removed, so that the new one can be set up at the sender meanwhile.',
        ...{ params: hookParams, body: rotateHookBody, answers: { 200: hookWithSecretView } },
        refusals: [...CHANGES, 'HOOK_KEY_UNUSABLE'],
      },
      ({ params: { name }, body: { keep_previous } }, request, reply) => {
        request.note.meta = { hook: name, keep_previous };
        return answer(request, reply, hooks.rotate(name, keep_previous, describeCaller(request)));
      },
    ),
    route(
      {
        method: 'DELETE',
        url: '/api/hooks/:name/secrets/:id',
        needs: 'admin',
        summary: 'Removes a secret of a hook: it opens nothing from now on.',
        ...{ params: hookSecretParams, answers: { 200: storedHookView } },
        refusals: [...CHANGES, 'HOOK_SECRET_NOT_FOUND'],
      },
      ({ params: { name, id } }, request, reply) => {
        request.note.meta = { hook: name, secret: id };
        return answer(request, reply, hooks.removeSecret(name, id, describeCaller(request)));
      },
    ),
  ];
}

function switchRoute(hooks: HookAdmin, word: 'enable' | 'disable'): Route {
  const summary =
    word === 'enable'
      ? 'Has a hook that was disabled let deliveries in again.'
      : 'Has a hook let nobody in until it is enabled.';
  return route(
    {
      ...{ method: 'POST', url: `/api/hooks/:name/${word}`, needs: 'admin', summary },
      ...{ params: hookParams, answers: { 200: storedHookView }, refusals: CHANGES },
    },
    ({ params: { name } }, request, reply) => {
      request.note.meta = { hook: name };
      const by = describeCaller(request);
      return answer(request, reply, hooks.setDisabled(name, word === 'disable', by));
    },
  );
}

function answer<T>(request: FastifyRequest, reply: FastifyReply, outcome: Outcome<T>) {
  return outcome.ok ? outcome.value : sendFailure(request, reply, outcome.failure);
}
