import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { ErrorCode } from '../../shared/contract/error-codes.ts';
import type { FaultProxy } from './fault-proxy.ts';
import {
  damaged,
  drip,
  falseDigest,
  falseHeader,
  first,
  limit,
  onGet,
  redirect,
  reformatted,
  refuse,
  shortened,
  status,
} from './faults.ts';
import { LIMITS, openSharedStore } from './host-fixture.ts';
import {
  asking,
  checkRow,
  type Expected,
  LANES,
  other,
  proxy,
  type Row,
  startLanes,
  stopServers,
} from './registry-fault-case.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const inFiveMinutes = () => new Date(Date.now() + 5 * MINUTE).toUTCString();
const SHORT = { lookUpMs: 500 };
/** Long enough for podman to come to what is slow. */
const SHORT_PULL = { limits: { ...LIMITS, pullTimeoutMs: 5_000 } };
const failed = (code: ErrorCode, detail: RegExp): Expected => ['failed', code, detail];
const limited = (detail: RegExp, waitMs: number): Expected => [
  'deferred',
  'REGISTRY_RATE_LIMITED',
  detail,
  waitMs,
];
const WITH = 'asked with the credentials of /.*/auth\\.json\\.';

const LOOK_UP: readonly Row[] = [
  [
    '401',
    ['look-up'],
    refuse,
    failed('REGISTRY_UNAUTHORIZED', new RegExp(`answered 401 .*${WITH}`)),
  ],
  [
    '403',
    ['look-up'],
    status(403),
    failed('REGISTRY_UNAUTHORIZED', new RegExp(`answered 403 .*${WITH}`)),
  ],
  ['404', ['look-up'], status(404), failed('REGISTRY_IMAGE_NOT_FOUND', /answered 404 /)],
  [
    '429 for two minutes',
    ['look-up'],
    limit(() => '120'),
    limited(/Retry-After: 120\./, 2 * MINUTE),
    { recovers: true },
  ],
  [
    '429 until a date',
    ['look-up'],
    limit(inFiveMinutes),
    limited(/Retry-After: .* GMT\./, 5 * MINUTE),
  ],
  ['429 for a day', ['look-up'], limit(() => '86400'), limited(/Retry-After: 86400\./, HOUR)],
  ['429 without a time', ['look-up'], limit(), limited(/answered 429 /, MINUTE)],
  [
    '429 without a time, again',
    ['look-up'],
    limit(),
    limited(/answered 429 /, 2 * MINUTE),
    { rateLimitWaits: 1 },
  ],
  [
    '429 after five waits',
    ['look-up'],
    limit(() => '120'),
    failed('REGISTRY_RATE_LIMITED', /Retry-After: 120\. .* 5 times/),
    { rateLimitWaits: 5 },
  ],
  ['500', ['look-up'], status(500), failed('REGISTRY_RESPONSE_INVALID', /answered 500 /)],
  ['500 twice', ['look-up'], first(2, status(500)), ['succeeded']],
  [
    'a slow body',
    ['look-up'],
    onGet(drip),
    failed('REGISTRY_TIMEOUT', /did not answer within/),
    SHORT,
  ],
  [
    'a header with a digest that nothing has',
    ['look-up'],
    falseHeader,
    failed('PULL_FAILED', /manifest unknown/),
  ],
  [
    'a header with a digest that the content has not',
    ['look-up', 'manifest'],
    falseDigest,
    failed('PULL_FAILED', /does not match/),
  ],
  [
    'a header with another digest than the body',
    ['look-up'],
    onGet(falseHeader),
    failed('REGISTRY_RESPONSE_INVALID', /another digest than its body has/),
  ],
  [
    'other content than the header says',
    ['look-up'],
    onGet(reformatted),
    failed('REGISTRY_RESPONSE_INVALID', /another digest than its body has/),
  ],
  ['a redirect', ['look-up'], redirect(other), ['succeeded'], { to: other }],
  [
    'a redirect to who wants a login',
    ['look-up'],
    redirect(asking),
    failed('REGISTRY_UNAUTHORIZED', /127\.0\.0\.3:\d+ answered 401 .* asked without credentials/),
    { to: asking },
  ],
  [
    'a redirect to other content',
    ['look-up'],
    onGet(redirect(other)),
    failed('REGISTRY_RESPONSE_INVALID', /another digest than its body has/),
    { to: other, there: reformatted },
  ],
];

const PULL: readonly Row[] = [
  ['500', ['manifest'], status(500), failed('PULL_FAILED', /status: 500|registry 500/)],
  ['500', ['layer'], status(500), failed('PULL_FAILED', /status: 500|registry 500/)],
  [
    '429',
    ['manifest'],
    limit(() => '0'),
    limited(/StatusCode: 429|too many requests to registry/, MINUTE),
  ],
  [
    '429',
    ['layer'],
    limit(() => '0'),
    limited(/StatusCode: 429|too many requests to registry/, MINUTE),
    { recovers: true },
  ],
  ['500 once', ['manifest'], first(1, status(500)), ['succeeded']],
  ['500 once', ['layer'], first(1, status(500)), ['succeeded']],
  ['401', ['manifest'], refuse, failed('PULL_FAILED', /unauthorized|authentication required/)],
  ['401', ['layer'], refuse, failed('PULL_FAILED', /unauthorized|authentication required/)],
  ['403', ['manifest'], status(403), failed('PULL_FAILED', /(?:StatusCode:|registry) 403/)],
  ['403', ['layer'], status(403), failed('PULL_FAILED', /(?:StatusCode:|registry) 403/)],
  ['404', ['manifest'], status(404), failed('PULL_FAILED', /(?:StatusCode:|registry) 404/)],
  ['404', ['layer'], status(404), failed('PULL_FAILED', /(?:StatusCode:|registry) 404/)],
  ['a slow body', ['manifest'], drip, failed('PULL_TIMEOUT', /within its limit/), SHORT_PULL],
  ['a slow body', ['layer'], drip, failed('PULL_TIMEOUT', /within its limit/), SHORT_PULL],
  ['wrong content', ['manifest'], damaged, failed('PULL_FAILED', /does not match/)],
  ['wrong content', ['config'], damaged, failed('PULL_FAILED', /does not match/)],
  [
    'wrong content',
    ['layer'],
    damaged,
    failed('PULL_FAILED', /did not match|does not match/),
    { recovers: true },
  ],
  ['reformatted content', ['manifest'], reformatted, failed('PULL_FAILED', /does not match/)],
  [
    'short content',
    ['layer'],
    shortened,
    failed('PULL_FAILED', /did not match|does not match|EOF/),
  ],
  ['a redirect', ['manifest', 'config', 'layer'], redirect(other), ['succeeded'], { to: other }],
  [
    'a redirect to who wants a login',
    ['manifest'],
    redirect(asking),
    failed('PULL_FAILED', /unauthorized|authentication required/),
    { to: asking },
  ],
  [
    'a redirect to who wants a login',
    ['layer'],
    redirect(asking),
    failed('PULL_FAILED', /unauthorized|authentication required/),
    { to: asking },
  ],
  [
    'a redirect to wrong content',
    ['layer'],
    redirect(other),
    failed('PULL_FAILED', /did not match|does not match/),
    { to: other, there: damaged },
  ],
];

before(startLanes);
after(stopServers);

for (const [where, rows] of [
  ['to a look-up', LOOK_UP],
  ['to a pull', PULL],
] as const)
  describe(`a registry that answers ${where}`, { concurrency: LANES.length }, () => {
    for (const row of rows)
      test(`with ${row[0]} for the ${row[1].join(' and the ')}: ${row[3].slice(0, 2).join(', ')}`, () =>
        checkRow(row));
  });

describe('after all of that', () => {
  test('only the registry of the units was sent a login, and nothing is in quarantine', () => {
    const sent = (server: FaultProxy) => server.seen.filter(({ authorization }) => authorization);
    assert.ok(sent(proxy()).length > 0);
    assert.ok(other().seen.length > 0 && asking().seen.length > 0);
    assert.deepEqual([sent(other()), sent(asking())], [[], []]);
    assert.deepEqual(openSharedStore().quarantine.list(Date.now()), []);
  });
});
