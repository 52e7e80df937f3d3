import type { Socket } from 'node:net';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import type { Logger } from 'pino';
import type { ErrorCode } from '../../shared/contract/error-codes.ts';
import { FailureError } from '../../shared/contract/outcome.ts';
import { PROBLEM_TYPE, toProblem } from '../api/problem.ts';
import type { ServedForm } from '../api/route-form.ts';
import { isTaskId } from '../domain/identifier.ts';
import { maskPath } from '../domain/mask-path.ts';
import type { EventWriter } from '../events/event-writer.ts';
import { newIdentifier } from '../intake/new-identifier.ts';
import { countRequests, type RequestCounter } from '../metrics/count-requests.ts';
import { createSiteCheck, type SiteCheck } from './cross-site.ts';
import { guardAnswers, guardsOf } from './guard-answers.ts';
import { toOriginForm } from './origin-form.ts';
import { describeThrown, sendFailure } from './problem-reply.ts';

/** What a request leaves for its event. */
export type RequestNote = {
  /** What was asked for, as a word of a closed set. */
  action: string;
  actor: string | null;
  code: ErrorCode | null;
  /** The task that was made; where the path names one it need not be said. */
  taskId: string | null;
  /** The delivery that was taken in, of which a task may follow. */
  deliveryId: string | null;
  meta: Readonly<Record<string, unknown>> | null;
};

declare module 'fastify' {
  interface FastifyRequest {
    note: RequestNote;
  }
  interface FastifyInstance {
    /** Of every route that is served. */
    servedForms: ServedForm[];
    /** The path of every route, of those that only refuse too. */
    servedUrls: Set<string>;
    /** Which pages may ask for changes. */
    sites: SiteCheck;
    /** PODUP_PUBLIC_BASE_URL says so; what a trusted proxy says is `request.protocol`. */
    isReachedByHttps: boolean;
    /** What was answered since it was made. */
    requestCounts: Pick<RequestCounter, 'list'>;
  }
}

/** A slow sender must not hold a connection for ever: the whole request has to arrive within this time. */
const REQUEST_TIMEOUT_MS = 30_000;
/** What a head may take, all its fields together. */
const MAX_HEAD_BYTES = 16_384;
/** Longer than that of the usual proxies (60 s), so that they and not we close idle connections. */
const KEEP_ALIVE_MS = 75_000;
const MAX_PARAM_LENGTH = 300;

const BROKEN_OFF = { code: 'REQUEST_INVALID', detail: 'It was broken off.' } as const;

/** Where each request is recorded. */
type Events = Pick<EventWriter, 'record'>;

type Parts = {
  readonly log: Logger;
  readonly events: Events;
  /** How long a whole request may take to arrive. */
  readonly requestTimeoutMs?: number;
  /** Whether an address is that of a proxy: only then it is believed for whom it asks, how and under which name. */
  readonly isProxy?: (address: string | undefined) => boolean;
  /** Where others reach this host, if that is known. */
  readonly publicBaseUrl?: string | undefined;
};

/**
 * The HTTP application without its routes: request ids, problem answers, one event for each request, and a drain that
 * cuts nobody off.
 */
export function createApp(parts: Parts): FastifyInstance {
  const { log, events: recorded, publicBaseUrl, isProxy = () => false } = parts;
  const { requestTimeoutMs = REQUEST_TIMEOUT_MS } = parts;
  const events = countRequests(recorded);
  const guards = guardsOf(publicBaseUrl);
  const app = fastify({
    logger: false,
    http: { ServerResponse: guardAnswers(guards), maxHeaderSize: MAX_HEAD_BYTES },
    rewriteUrl: ({ url = '/' }) => toOriginForm(url),
    genReqId: () => newIdentifier('req'),
    requestIdHeader: false,
    trustProxy: isProxy,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: KEEP_ALIVE_MS,
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    exposeHeadRoutes: false,
    return503OnClosing: false,
    clientErrorHandler: (error, socket) => answerBrokenRequest(events, guards, error, socket),
    // A path that cannot be routed (a broken escape, a part that is too long) passes no hook.
    frameworkErrors: (error, request, reply) => {
      prepareReply(request, reply, 'not-found');
      sendFailure(request, reply, describeThrown(error));
      recordRequest(events, request, reply.statusCode, reply.elapsedTime);
    },
  });
  app.decorateRequest('note');
  app.decorateRequest('caller', null);
  app.decorate('sites', createSiteCheck(publicBaseUrl));
  app.decorate('isReachedByHttps', publicBaseUrl?.startsWith('https:') === true);
  const servedForms: ServedForm[] = [];
  const servedUrls = new Set<string>();
  app.decorate('requestCounts', events);
  app.decorate('servedForms', servedForms);
  app.decorate('servedUrls', servedUrls);
  app.addHook('onRoute', ({ config, url }) => {
    servedUrls.add(url);
    if (config?.form) servedForms.push(config.form);
  });
  app.addHook('onRequest', (request, reply, done) => {
    prepareReply(request, reply, request.is404 ? 'not-found' : 'unknown');
    // Before its body is looked at: a faulty one must not turn the 404 into something else.
    done(request.is404 ? new FailureError({ code: 'NOT_FOUND', detail: '' }) : undefined);
  });
  app.addHook('onResponse', (request, reply, done) => {
    recordRequest(events, request, reply.statusCode, reply.elapsedTime);
    done();
  });
  app.setErrorHandler((error, request, reply) => {
    const { raw } = request;
    // Nobody hears the answer, and it is no fault of ours: anybody can break off as often as he likes.
    const isBrokenOff = raw.destroyed && !raw.complete;
    const failure = isBrokenOff ? BROKEN_OFF : describeThrown(error);
    if (failure.code === 'INTERNAL')
      log.error({ err: error, request: request.id }, 'request failed');
    return sendFailure(request, reply, failure);
  });
  return app;
}

function prepareReply(request: FastifyRequest, reply: FastifyReply, action: string): void {
  request.note = { action, actor: null, code: null, taskId: null, deliveryId: null, meta: null };
  reply.header('x-request-id', request.id);
}

function recordRequest(
  events: Events,
  request: FastifyRequest,
  status: number,
  elapsedMs: number,
): void {
  const { action, actor, code, taskId, deliveryId, meta } = request.note;
  events.record({
    request_id: request.id,
    ts: Date.now(),
    method: request.method,
    // Without the query: whatever a sender puts there is no business of the record. Nor is the secret of a hook.
    path: maskPath(request.url.split('?', 1)[0] ?? '').slice(0, MAX_PARAM_LENGTH),
    status,
    action,
    code,
    actor,
    // There is none over the service's own socket.
    remote_address: request.ip ?? null,
    duration_us: Math.round(elapsedMs * 1000),
    task_id: taskId ?? findTask(request),
    delivery_id: deliveryId,
    meta: meta === null ? null : JSON.stringify(meta),
  });
}

/** The task that the path names. */
function findTask({ params }: FastifyRequest): string | null {
  const { id } = (params ?? {}) as { readonly id?: string };
  return id !== undefined && isTaskId(id) ? id : null;
}

/** What ails a request that never became one, by the error of Node's parser. */
const BROKEN: Readonly<Record<string, { readonly code: ErrorCode; readonly reason: string }>> = {
  ERR_HTTP_REQUEST_TIMEOUT: { code: 'REQUEST_TIMEOUT', reason: 'Request Timeout' },
  HPE_HEADER_OVERFLOW: { code: 'HEAD_TOO_LARGE', reason: 'Request Header Fields Too Large' },
};
const BROKEN_ANYHOW = { code: 'REQUEST_INVALID', reason: 'Bad Request' } as const;

/** Answers what never became a request: a broken head, one that is too large, one that did not arrive in time. */
function answerBrokenRequest(
  events: Events,
  guards: Readonly<Record<string, string>>,
  error: NodeJS.ErrnoException,
  socket: Socket,
): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const { code, reason } = BROKEN[error.code ?? ''] ?? BROKEN_ANYHOW;
  const problem = toProblem(code, '', newIdentifier('req'));
  events.record({
    request_id: problem.request_id,
    ts: Date.now(),
    // What cannot be read has neither.
    method: '?',
    path: '?',
    status: problem.status,
    action: 'request-line',
    code,
    actor: null,
    remote_address: socket.remoteAddress ?? null,
    duration_us: 0,
    task_id: null,
    meta: null,
  });
  const body = JSON.stringify(problem);
  const headers = {
    ...guards,
    'content-type': PROBLEM_TYPE,
    'content-length': Buffer.byteLength(body),
    connection: 'close',
  };
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${problem.status} ${reason}\r\n${head.join('')}\r\n${body}`);
}
