import type { FastifyReply, FastifyRequest } from 'fastify';
import { ERRORS, type ErrorCode } from '../../shared/contract/error-codes.ts';
import { type Failure, FailureError } from '../../shared/contract/outcome.ts';
import { PROBLEM_TYPE, toProblem } from '../api/problem.ts';
import { CALLER_REFUSALS } from '../api/route-form.ts';
import { explainDatabaseError } from '../db/explain-database-error.ts';

/** Fastify's own errors that a client can cause, as codes of ours. */
const FRAMEWORK_CODES: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'BODY_TOO_LARGE',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'CONTENT_TYPE_UNSUPPORTED',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'REQUEST_INVALID',
  FST_ERR_BAD_URL: 'REQUEST_INVALID',
  FST_ERR_MAX_PARAM_LENGTH: 'NOT_FOUND',
};

/** What ails us and not the request: it is tried again without a restart. */
const PASSES = /^(?:DATABASE|SPOOL)_/;
const RETRY_AFTER_S = 10;

/** Who calls is not known: RFC 9110 §11.6.1. */
const NOBODY: ReadonlySet<ErrorCode> = new Set(
  CALLER_REFUSALS.filter((code) => ERRORS[code].status === 401),
);

/** Of which the time is ours to tell. */
const OWN_LIMITS: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'RATE_LIMITED',
  'CREDENTIALS_LIMITED',
]);

/**
 * Refuses a request. What still comes of a body that is too large is read and thrown away, as long as the guard of the connections
 * lets it: where a connection is closed upon bytes that nobody has read, the peer may never see the answer, and a proxy makes a 502 of it.
 */
export function sendFailure(
  request: FastifyRequest,
  reply: FastifyReply,
  { code, detail, retryAfterMs }: Failure,
): FastifyReply {
  request.note.code = code;
  // The framework would close it.
  if (code === 'BODY_TOO_LARGE') reply.removeHeader('connection');
  if (PASSES.test(code)) reply.header('retry-after', String(RETRY_AFTER_S));
  if (NOBODY.has(code)) reply.header('www-authenticate', 'Bearer');
  // Of what somebody else has refused (a registry) the time is told in the detail.
  if (retryAfterMs !== undefined && OWN_LIMITS.has(code)) {
    reply.header('retry-after', Math.ceil(retryAfterMs / 1000));
  }
  return reply
    .code(ERRORS[code].status)
    .type(PROBLEM_TYPE)
    .send(toProblem(code, detail, request.id));
}

/** What an error that was thrown while a request was handled is answered with. Unknown ones say nothing of themselves. */
export function describeThrown(error: unknown): Failure {
  if (error instanceof FailureError) return error.failure;
  const illness = explainDatabaseError(error);
  if (illness) return illness;
  const { code: name = '' } = error as { code?: string };
  // Another process has held the database for longer than anybody should.
  if (name.startsWith('SQLITE_BUSY')) return { code: 'DATABASE_UNAVAILABLE', detail: name };
  return { code: FRAMEWORK_CODES[name] ?? 'INTERNAL', detail: '' };
}
