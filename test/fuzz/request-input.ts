import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { SECRET, TOKEN } from '../app/http/http-fixture.ts';
import { SAMPLES } from '../helpers/hook-samples.ts';
import { anyEdit, anyText, applyEdits, type Edit, rarely } from './mutate-json.ts';
import { type RawRequest, signBody } from './raw-request.ts';
import type { SeedCall, Serving } from './serve.ts';
import { type HookSeed, proveDelivery } from './sign-delivery.ts';

/** How one call of a route is changed; printable, so that a failing one can be kept. */
export type RequestInput = {
  readonly call: SeedCall;
  readonly method: string | undefined;
  /** Appended to the path as it is, or written in the place of one of its segments. */
  readonly path: { readonly segment: number; readonly text: string } | undefined;
  readonly query: readonly (readonly [name: string, value: string])[];
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly edits: readonly Edit[];
  /** Bytes in the place of the body. */
  readonly bytes: string | undefined;
  readonly length: RawRequest['length'];
  /** Whether the caller is who it says; else the secrets are wrong. */
  readonly isKnown: boolean;
};

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'get', 'X-Y'];
const NAMES = [
  ...['content-type', 'content-encoding', 'accept', 'accept-encoding', 'authorization', 'cookie'],
  ...['host', 'expect', 'upgrade', 'connection', 'transfer-encoding', 'origin', 'range', 'te'],
  ...['last-event-id', 'if-none-match', 'idempotency-key', 'x-csrf-token', 'x-request-id'],
  ...['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-user', 'remote-user', 'forwarded'],
  ...['sec-fetch-site', 'sec-fetch-mode', 'x-hub-signature-256', 'x-github-event'],
  ...['x-github-delivery', 'webhook-id', 'webhook-timestamp', 'webhook-signature'],
  ...['x-gitlab-token', 'x-gitea-signature', 'x-jfrog-event-auth', 'ce-type', 'ce-specversion'],
  ...['__proto__', 'x y', 'é'],
];
const FORM = 'application/x-www-form-urlencoded';
const JSON_TYPE = 'application/json';
const QUERY = [
  'limit',
  'cursor',
  'before',
  'after',
  'status',
  'unit',
  'format',
  'token',
  'q',
  'to',
];

/** Every sample, sent to each hook of its source and to the URL of one unit. */
export function deliveriesTo(hooks: readonly HookSeed[]): readonly SeedCall[] {
  return SAMPLES.flatMap(({ source, headers, body, contentType }) => {
    const call = {
      method: 'POST',
      path: '/github-package-update/web',
      headers: { ...headers, 'content-type': contentType },
      body: JSON.stringify(body),
    };
    const own = hooks.filter((hook) => hook.source === source);
    const calls = own.map(({ name }) => ({ ...call, path: `/hooks/${name}`, hook: name }));
    return source === 'github' ? [call, ...calls] : calls;
  });
}

const anyLength: fc.Arbitrary<RawRequest['length']> = fc.oneof(
  { weight: 12, arbitrary: fc.constant('right' as const) },
  { weight: 2, arbitrary: fc.constant('chunked' as const) },
  { weight: 1, arbitrary: fc.constantFrom('none' as const, 'broken-chunks' as const) },
  { weight: 1, arbitrary: fc.constantFrom(0, 1, 5, 1e9, 2 ** 53, -1) },
);

/** Any request, most of them near to one that a route takes. */
export function anyRequestInput({ calls, hooks }: Serving): fc.Arbitrary<RequestInput> {
  const few = <T>(arbitrary: fc.Arbitrary<T>) =>
    fc.oneof(
      { weight: 3, arbitrary: fc.constant<T[]>([]) },
      { weight: 1, arbitrary: fc.array(arbitrary, { minLength: 1, maxLength: 3 }) },
    );
  return fc.record({
    call: fc.oneof(
      { weight: 2, arbitrary: fc.constantFrom(...calls) },
      { weight: 1, arbitrary: fc.constantFrom(...deliveriesTo(hooks)) },
    ),
    method: rarely(12, fc.constantFrom(...METHODS)),
    path: rarely(6, fc.record({ segment: fc.nat(6), text: anyText })),
    query: few(fc.tuple(fc.oneof(fc.constantFrom(...QUERY), anyText), anyText)),
    headers: few(fc.tuple(fc.constantFrom(...NAMES), anyText)),
    edits: few(anyEdit),
    bytes: rarely(8, fc.oneof(anyText, fc.string({ unit: 'binary', maxLength: 300 }))),
    length: anyLength,
    isKnown: fc.nat(9).map((number) => number > 0),
  });
}

/** The request that an input comes to: signed, where the caller is known, after all changes of its body. */
export function toRequest(input: RequestInput, { hooks }: Pick<Serving, 'hooks'>): RawRequest {
  const { call, isKnown, length } = input;
  const hook = hooks.find(({ name }) => name === call.hook);
  const headers = new Map(Object.entries({ host: 'podup.example', ...call.headers }));
  const json = input.bytes ?? editedBody(call.body, input.edits);
  const isForm = input.bytes === undefined && headers.get('content-type') === FORM;
  const body = Buffer.from(isForm ? new URLSearchParams({ payload: json }).toString() : json);
  if (body.length > 0 && !headers.has('content-type')) headers.set('content-type', JSON_TYPE);
  // Announced as the input says.
  headers.delete('content-length');
  headers.set('authorization', `Bearer ${isKnown ? TOKEN : 'wrong'}`);
  if (call.path.startsWith('/github-package-update/')) {
    headers.set('x-hub-signature-256', signBody(isKnown ? SECRET : 'wrong', body));
    headers.set('x-github-delivery', randomUUID());
  }
  const proof =
    hook && isKnown ? proveDelivery(hook, headers.get('content-type'), body) : undefined;
  for (const [name, value] of Object.entries(proof?.headers ?? {})) headers.set(name, value);
  const path = pathOf(input, proof?.pathEnd ?? '');
  return {
    method: input.method ?? call.method,
    path,
    headers: [...headers, ...input.headers],
    body,
    length,
  };
}

function editedBody(body: string, edits: readonly Edit[]): string {
  if (body === '' || edits.length === 0) return body;
  return JSON.stringify(applyEdits(JSON.parse(body), edits)) ?? '';
}

function pathOf({ call, path, query }: RequestInput, end: string): string {
  const [before = '', own = ''] = call.path.split('?', 2);
  const segments = `${before}${end}`.split('/');
  if (path) segments[(path.segment % segments.length) + 1] = encodeLoosely(path.text);
  const added = query.map(([name, value]) => `${encodeLoosely(name)}=${encodeLoosely(value)}`);
  const all = [own, ...added].filter((part) => part !== '').join('&');
  return `${segments.join('/')}${all === '' ? '' : `?${all}`}`;
}

/** Encoded as browsers do, except what no one could encode and what is encoded already: that stays as it is. */
function encodeLoosely(text: string): string {
  return /%|\.\.|\//.test(text)
    ? text.replace(/\s/g, '+')
    : encodeURIComponent(text.toWellFormed());
}
