import type * as z from 'zod';
import type { ErrorCode } from '../../shared/contract/error-codes.ts';
import type { Need } from '../domain/access.ts';
import type { Answer } from './answer.ts';

/** An answer that is no JSON. */
export type OtherAnswer = {
  /** Its media types. */
  readonly media: readonly [string, ...string[]];
  readonly about: string;
  /** Of a stream of Server-Sent Events: what the data of each kind of event is. */
  readonly events?: Readonly<Record<string, z.ZodType>>;
};

/** What is answered with a status: JSON by its schema, something else, or (null) nothing. */
export type AnswerForm = z.ZodType | OtherAnswer | null;

/** What is to be known of a route, by whoever serves, calls, documents or tests it. */
export type RouteForm = {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With its parameters as `:name`. */
  readonly url: string;
  /** What it wants of its callers. Of one that wants `deploy` its units are checked besides, see `deployRoute`. */
  readonly needs: Need;
  /** The word under which its requests are recorded, where that is not the one of its group. */
  readonly action?: string;
  /** Another path of a route, which older scripts know: it is in no document. */
  readonly isAlias?: true;
  /** One line. */
  readonly summary: string;
  /** More, where it is needed. */
  readonly about?: string;
  /** Of the URL; each that is in it, as text. */
  readonly params?: z.ZodType;
  readonly query?: z.ZodType;
  /** Of a JSON body; none at all is an empty object. */
  readonly body?: z.ZodType;
  /** A body that the route reads itself, and what it is. */
  readonly rawBody?: string;
  /** Header fields that the route reads itself, and what they are. */
  readonly headers?: Readonly<Record<string, string>>;
  /** By status. A value that a handler returns is answered with the first of them. */
  readonly answers: Readonly<Record<number, AnswerForm>>;
  /** Codes of refusals beside those that follow from the rest: who may call it, what it reads. */
  readonly refusals?: readonly ErrorCode[];
  /** It asks the host, a registry or the supervisor, and fails with whatever code that came to. */
  readonly fails?: true;
};

/** A route as it is served. */
export type ServedForm = RouteForm & { readonly action: string };

/** What was read of a request by the form of its route. */
export type Given<F extends RouteForm> = {
  readonly params: Read<F, 'params'>;
  readonly query: Read<F, 'query'>;
  readonly body: Read<F, 'body'>;
};

type Read<F, K extends string> = F extends { readonly [P in K]: infer S extends z.ZodType }
  ? z.output<S>
  : undefined;

/** The values that a route may answer with. */
export type AnswerOf<F extends RouteForm> = {
  [S in keyof F['answers']]: F['answers'][S] extends z.ZodType ? Answer<F['answers'][S]> : never;
}[keyof F['answers']];

/** Tells a schema from the rest. */
export function isSchema(answer: AnswerForm): answer is z.ZodType {
  return answer !== null && 'safeParse' in answer;
}

/** The codes with which a route may refuse, and what can go wrong with any. */
export function refusalsOf(form: ServedForm): readonly ErrorCode[] {
  const { needs, method, params, query, body, refusals = [] } = form;
  const readsAny = params ?? query ?? body;
  const isOpen = needs === 'anyone' || needs === 'hook';
  const isChange = method !== 'GET' && method !== 'HEAD';
  return [
    ...(isOpen ? [] : CALLER_REFUSALS),
    ...(isOpen || !isChange ? [] : CHANGE_REFUSALS),
    ...(readsAny ? (['REQUEST_INVALID'] as const) : []),
    ...(body ? BODY_REFUSALS : []),
    ...refusals,
    'INTERNAL',
  ];
}

/** What can be said of what a caller shows. */
export const CALLER_REFUSALS = [
  'ADMIN_TOKEN_NOT_CONFIGURED',
  'ADMIN_TOKEN_MISSING',
  'ADMIN_TOKEN_INVALID',
  'CREDENTIALS_LIMITED',
  'TOKEN_EXPIRED',
  'TOKEN_REVOKED',
  'SESSION_ENDED',
  'FORWARD_AUTH_UNTRUSTED',
  'FORWARD_AUTH_REFUSED',
  'SCOPE_MISSING',
] as const;

const CHANGE_REFUSALS = ['CSRF_HEADER_MISSING', 'CROSS_SITE_REQUEST'] as const;

const BODY_REFUSALS = ['CONTENT_TYPE_UNSUPPORTED', 'BODY_TOO_LARGE'] as const;
