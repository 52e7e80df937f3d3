import * as z from 'zod';
import type { ErrorCode } from '../../shared/contract/error-codes.ts';
import type { GithubHook } from '../../shared/contract/github-hook.ts';
import { type Failure, fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import type { DeliveryAttempt } from '../domain/failed-deliveries.ts';
import { collect } from '../updates/release/read-answer.ts';
import type { HttpAnswer, ReleaseHttp } from '../updates/release/release-http.ts';
import { readNextPage } from './read-next-page.ts';

const PAGE_SIZE = 100;
/** A hundred attempts are about 50 KB. */
const MAX_PAGE_BYTES = 1_048_576;
/** Where GitHub says that it was too much and not for how long (its manual, "Rate limits for the REST API"). */
const RATE_LIMITED_MS = 60_000;
/** It counts by the hour. */
const MAX_RATE_LIMITED_MS = 3_600_000;

const attemptShape = z.object({
  id: z.string().regex(/^\d{1,19}$/),
  guid: z.string().regex(/^[\x21-\x7e]{1,200}$/),
  delivered_at: z.iso.datetime({ offset: true }),
  status_code: z.number(),
  event: z.string(),
});

/** One page of the attempts of a hook, newest first. */
export type AttemptPage = {
  readonly attempts: readonly DeliveryAttempt[];
  /** The older ones; undefined: there are none. */
  readonly next: URL | undefined;
};

/** What GitHub is asked of the deliveries of webhooks (REST API, "Repository webhooks", "Organization webhooks"). */
export type DeliveriesApi = {
  /** A page; absent: the newest. */
  list(hook: GithubHook, page?: URL): Promise<Outcome<AttemptPage>>;
  /** Has GitHub deliver once more what an attempt was about. */
  again(hook: GithubHook, attemptId: string): Promise<Outcome<void>>;
  /** How long nothing may be asked by what the last answers said, in milliseconds; undefined: now. */
  restMs(nowMs: number): number | undefined;
};

/** How the API is asked. */
export type DeliveriesApiOptions = {
  readonly http: Pick<ReleaseHttp, 'ask'>;
  /** Without a final slash. */
  readonly apiUrl: string;
  readonly token: string;
};

/** The API by a token, which no redirect and no link leads anywhere else. */
export function createDeliveriesApi({ http, apiUrl, token }: DeliveriesApiOptions): DeliveriesApi {
  let restsUntil = Number.NEGATIVE_INFINITY;
  const ask = async (url: URL, method: 'GET' | 'POST'): Promise<Outcome<HttpAnswer>> => {
    const answer = await http.ask({
      ...{ method, url, authorization: `Bearer ${token}` },
      headers: { accept: 'application/vnd.github+json', 'x-github-api-version': '2022-11-28' },
    });
    if (!answer.ok) return { ok: false, failure: translate(answer.failure) };
    const rest = readRest(answer.value, Date.now());
    if (rest !== undefined) restsUntil = Date.now() + rest;
    return answer;
  };
  return {
    async list({ path }, page) {
      const first = new URL(`${apiUrl}${path}/deliveries?per_page=${PAGE_SIZE}`);
      const url = page ?? first;
      const asked = await ask(url, 'GET');
      if (!asked.ok) return asked;
      const answer = asked.value;
      if (answer.status !== 200) {
        answer.discard();
        return explain(answer, url);
      }
      const body = await collect(answer.bytes, MAX_PAGE_BYTES, `The answer of ${url.host}`);
      if (!body.ok) return { ok: false, failure: translate(body.failure) };
      const read = z.array(attemptShape).max(PAGE_SIZE).safeParse(parseWithIds(body.value));
      if (!read.success) {
        return fail('GITHUB_ANSWER_INVALID', `${url.host} does not answer as GitHub does.`);
      }
      const next = readNextPage(answer.header('link'), url);
      return succeed({ attempts: read.data.map(toAttempt), next });
    },
    async again({ path }, attemptId) {
      const url = new URL(`${apiUrl}${path}/deliveries/${attemptId}/attempts`);
      const asked = await ask(url, 'POST');
      if (!asked.ok) return asked;
      asked.value.discard();
      return asked.value.status === 202 ? succeed(undefined) : explain(asked.value, url);
    },
    restMs: (nowMs) => (restsUntil > nowMs ? restsUntil - nowMs : undefined),
  };
}

/** Ids have outgrown what a number holds exactly, so they are taken as they are written. */
function parseWithIds(body: Buffer): unknown {
  const keepId = (key: string, value: unknown, context?: { readonly source?: string }) =>
    key === 'id' && typeof value === 'number' ? context?.source : value;
  try {
    return JSON.parse(body.toString('utf8'), keepId);
  } catch {
    return undefined;
  }
}

function toAttempt(raw: z.output<typeof attemptShape>): DeliveryAttempt {
  const { id, guid, event } = raw;
  const deliveredAt = Date.parse(raw.delivered_at);
  return { id, guid, event, deliveredAt, statusCode: raw.status_code };
}

/** How long the answer asks to be left alone, in milliseconds, bounded. */
function readRest({ status, header }: HttpAnswer, nowMs: number): number | undefined {
  const retryAfter = /^\d{1,9}$/.exec(header('retry-after') ?? '')?.[0];
  if (retryAfter !== undefined) return Math.min(Number(retryAfter) * 1_000, MAX_RATE_LIMITED_MS);
  const isUsedUp = header('x-ratelimit-remaining') === '0';
  if (!isUsedUp && status !== 429) return undefined;
  const reset = /^\d{1,11}$/.exec(header('x-ratelimit-reset') ?? '')?.[0];
  const ms = reset === undefined ? RATE_LIMITED_MS : Number(reset) * 1_000 - nowMs;
  // By a clock that goes wrong here it would be never, or long ago.
  return Math.min(Math.max(ms, 1_000), MAX_RATE_LIMITED_MS);
}

/** Of the answer only its status is quoted: it could send back the token that it was sent. */
function explain(answer: HttpAnswer, url: URL): ReturnType<typeof fail> {
  const { status } = answer;
  const said = `${url.host} answered ${status} for ${url.pathname}.`;
  const rest = readRest(answer, Date.now());
  if (rest !== undefined && (status === 403 || status === 429)) {
    return {
      ok: false,
      failure: { code: 'GITHUB_RATE_LIMITED', detail: said, retryAfterMs: rest },
    };
  }
  if (status === 401) return fail('GITHUB_TOKEN_REFUSED', said);
  if (status === 403) return fail('GITHUB_ACCESS_DENIED', said);
  if (status === 404 || status === 410) return fail('GITHUB_HOOK_NOT_FOUND', said);
  if (status >= 500 || status === 408) return fail('GITHUB_UNREACHABLE', said);
  if (status >= 300 && status < 400) {
    const why =
      'A redirect is not followed with a token; what the hook belongs to may be called otherwise now.';
    return fail('GITHUB_HOOK_NOT_FOUND', `${said} ${why}`);
  }
  return fail('GITHUB_ANSWER_INVALID', said);
}

const TRANSLATED: Readonly<Partial<Record<ErrorCode, ErrorCode>>> = {
  RELEASE_SOURCE_INVALID: 'GITHUB_ANSWER_INVALID',
  RELEASE_SOURCE_UNREACHABLE: 'GITHUB_UNREACHABLE',
};

/** The client is that of releases, whose codes say so. */
function translate({ code, detail }: Failure): Failure {
  const translated = TRANSLATED[code];
  if (translated) return { code: translated, detail };
  return { code: 'GITHUB_UNREACHABLE', detail: 'Asking was ended before the answer had come.' };
}
