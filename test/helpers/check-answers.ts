import assert from 'node:assert/strict';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { problemView } from '../../app/api/problem.ts';
import { isSchema, refusalsOf, type ServedForm } from '../../app/api/route-form.ts';
import { isErrorCode } from '../../shared/contract/error-codes.ts';

/**
 * Holds every answer of an application against the form of its route: status, media type, and body by its schema, with
 * no field that is not in it. Registered before the routes; gives what throws when one did not fit.
 */
export function checkAnswers(app: FastifyInstance): () => void {
  const faults: string[] = [];
  app.addHook('onSend', (request, reply, payload, done) => {
    const { form } = request.routeOptions.config;
    const fault = form && findFault(form, request, reply, payload);
    if (fault !== undefined) faults.push(`${request.method} ${request.url}: ${fault}`);
    done(null, payload);
  });
  return () => assert.deepEqual(faults, []);
}

function findFault(
  form: ServedForm,
  request: FastifyRequest,
  reply: FastifyReply,
  payload: unknown,
): string | undefined {
  const type = String(reply.getHeader('content-type') ?? '').split(';', 1)[0] ?? '';
  if (type === 'application/problem+json') return findFaultOfProblem(form, request, payload);
  const answer = form.answers[reply.statusCode];
  if (answer === undefined) return `${reply.statusCode} is not in its form`;
  if (answer === null) return payload ? 'there is a body' : undefined;
  if (!isSchema(answer)) return answer.media.includes(type) ? undefined : `is ${type}`;
  if (type !== 'application/json') return `is ${type}`;
  const read = answer.safeParse(JSON.parse(String(payload)));
  return read.error?.message;
}

function findFaultOfProblem(
  form: ServedForm,
  { note }: FastifyRequest,
  payload: unknown,
): string | undefined {
  const read = problemView.safeParse(JSON.parse(String(payload)));
  if (!read.success) return read.error.message;
  const { code } = read.data;
  if (!isErrorCode(code) || note.code !== code) return `${code} is not what was recorded`;
  const isKnown = form.fails === true || refusalsOf(form).includes(code);
  return isKnown ? undefined : `${code} is not in its form`;
}
