import type { FastifyInstance } from 'fastify';
import type { FixedToken } from '../../access/access-book.ts';
import { type KnownToken, stateOf, type TokenBook } from '../../access/token-book.ts';
import {
  newTokenView,
  type TokenView,
  tokenBody,
  tokenParams,
  tokensView,
  tokenView,
} from '../../api/token-views.ts';
import { readScopes, toScopes } from '../../domain/access.ts';
import type { AdminGate } from '../admin-gate.ts';
import { describeCaller } from '../describe-asker.ts';
import { sendFailure } from '../problem-reply.ts';
import { route, serveRoutes } from '../serve-routes.ts';

type Parts = {
  readonly gate: AdminGate;
  readonly tokens: TokenBook;
  /** Those of the settings. */
  readonly fixed: readonly Omit<FixedToken, 'secret'>[];
};

/** `/api/tokens`: the tokens of the API, making and revoking them. */
export function registerTokensApi(app: FastifyInstance, { gate, tokens, fixed }: Parts): void {
  serveRoutes(app, { action: 'tokens-api', gate }, [
    route(
      {
        method: 'GET',
        url: '/api/tokens',
        needs: 'admin',
        summary: 'The tokens of the API: what they allow, and when they were used.',
        answers: { 200: tokensView },
      },
      () => {
        const settings = fixed.map(({ name: variable, access }) => ({
          variable,
          scopes: toScopes(access),
        }));
        return { tokens: tokens.list().map(viewToken), settings };
      },
    ),
    route(
      {
        method: 'POST',
        url: '/api/tokens',
        needs: 'admin',
        summary: 'Makes a token, which is told this once.',
        body: tokenBody,
        answers: { 201: newTokenView },
        refusals: ['TOKEN_NAME_TAKEN', 'TOO_MANY_TOKENS', 'REVOCATION_NOT_KEPT'],
      },
      ({ body }, request, reply) => {
        const { name, expires_at: until } = body;
        const read = readScopes(body.scopes);
        const expiresAt = until == null ? null : Date.parse(until);
        const fault =
          'fault' in read
            ? `scopes: ${read.fault} is none of read, admin, deploy:*, deploy:UNIT.`
            : expiresAt !== null && expiresAt <= Date.now() && 'expires_at: it is over already.';
        if ('fault' in read || fault) {
          return sendFailure(request, reply, { code: 'REQUEST_INVALID', detail: fault || '' });
        }
        const { scopes } = read;
        request.note.meta = { token: name, scopes: scopes.slice(0, 20), expires_at: until ?? null };
        const made = tokens.create({ name, scopes, expiresAt, by: describeCaller(request) });
        if (!made.ok) return sendFailure(request, reply, made.failure);
        return { ...viewToken(made.value.row), token: made.value.token };
      },
    ),
    route(
      {
        method: 'DELETE',
        url: '/api/tokens/:name',
        needs: 'admin',
        summary: 'Revokes a token, and ends every session that was begun with it.',
        params: tokenParams,
        answers: { 200: tokenView },
        refusals: ['TOKEN_NOT_FOUND', 'REVOCATION_NOT_KEPT'],
      },
      ({ params: { name } }, request, reply) => {
        request.note.meta = { token: name.slice(0, 100) };
        const revoked = tokens.revoke(name, describeCaller(request));
        return revoked.ok ? viewToken(revoked.value) : sendFailure(request, reply, revoked.failure);
      },
    ),
  ]);
}

function viewToken(token: KnownToken): TokenView {
  return {
    name: token.name,
    scopes: toScopes(token.access),
    state: stateOf(token, Date.now()),
    created_at: iso(token.created_at),
    created_by: token.created_by,
    expires_at: maybe(token.expires_at),
    revoked_at: maybe(token.revoked_at),
    revoked_by: token.revoked_by,
    last_used_at: maybe(token.used_at),
    last_used_from: token.used_from,
  };
}

function maybe(ms: number | null): string | null {
  return ms === null ? null : iso(ms);
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
