import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isRateLimitedPull, isTransientPullError } from '../../../app/domain/pull-error.ts';

const NAME = `ghcr.io/o/web@sha256:${'0a'.repeat(32)}`;
const V2 = 'Get "https://ghcr.io/v2/"';

/** What podman prints when it cannot even begin; `why` is what the registry or the network said. */
function initializing(why: string): string {
  return `Error: initializing source docker://${NAME}: ${why}\n`;
}

/** The same where the registry was never reached. */
function pinging(why: string): string {
  return initializing(`pinging container registry ghcr.io: ${V2}: ${why}`);
}

/** And where it answered with the question who we are, or with that to its answer. */
function reading(why: string): string {
  return initializing(`reading manifest sha256:${'0a'.repeat(32)} in ghcr.io/o/web: ${why}`);
}

const BLOB = 'Error: copying system image from manifest list:';

const TRANSIENT: readonly (readonly [title: string, stderr: string])[] = [
  ['a connection that takes too long', pinging('dial tcp 140.82.121.33:443: i/o timeout')],
  ['an answer that takes too long', pinging('read tcp 10.0.2.100:4->1.2.3.4:443: i/o timeout')],
  ['a connection timed out', pinging('dial tcp 140.82.121.33:443: connect: connection timed out')],
  [
    'a client that gave up',
    pinging('net/http: request canceled (Client.Timeout exceeded while awaiting headers)'),
  ],
  ['a TLS handshake that takes too long', pinging('net/http: TLS handshake timeout')],
  ['a refused connection', pinging('dial tcp 127.0.0.1:5000: connect: connection refused')],
  [
    'a reset connection',
    `${BLOB} reading blob sha256:0a: read tcp 10.0.2.100:40512->1.2.3.4:443: read: connection reset by peer`,
  ],
  ['a body that is cut off', `${BLOB} writing blob: storing blob to file: unexpected EOF`],
  ['a connection that was closed', pinging('EOF')],
  [
    'a name server that does not answer',
    pinging('dial tcp: lookup ghcr.io: Temporary failure in name resolution'),
  ],
  [
    'a name server that takes too long',
    pinging(
      'dial tcp: lookup ghcr.io on 10.0.2.3:53: read udp 1.2.3.4:5->10.0.2.3:53: i/o timeout',
    ),
  ],
  ['a name that is not known yet', pinging('dial tcp: lookup ghcr.io: no such host')],
  ['a name server in trouble', pinging('dial tcp: lookup ghcr.io: server misbehaving')],
  ['a deadline', pinging('context deadline exceeded')],
  ['a broken pipe', pinging('write tcp 1.2.3.4:5->1.2.3.4:443: write: broken pipe')],
  ['a stream that broke', pinging('stream error: stream ID 3; INTERNAL_ERROR; received from peer')],
  ['a status in the words of another client', reading('StatusCode: 503, ""')],
  ['no route', pinging('dial tcp 140.82.121.33:443: connect: no route to host')],
  ['no network', pinging('dial tcp [2606:50c0::1]:443: connect: network is unreachable')],
  [
    'a registry that has had enough of us',
    reading(
      'toomanyrequests: You have reached your unauthenticated pull rate limit. https://www.docker.com/increase-rate-limit',
    ),
  ],
  [
    'a token that cannot be had yet',
    initializing(
      'Requesting bearer token: invalid status code from registry 429 (Too Many Requests)',
    ),
  ],
  ['408', reading('received unexpected HTTP status: 408 Request Timeout')],
  ['429', reading('received unexpected HTTP status: 429 Too Many Requests')],
  ['500', reading('received unexpected HTTP status: 500 Internal Server Error')],
  [
    '502',
    `${BLOB} reading blob sha256:0a: fetching blob: received unexpected HTTP status: 502 Bad`,
  ],
  ['503', pinging('received unexpected HTTP status: 503 Service Unavailable')],
  [
    '504 of a page',
    reading('StatusCode: 504, "<html>\\r\\n<head><title>504 Gateway Time-out</tit"'),
  ],
  ['a token server that is down', initializing('invalid status code from registry 503 (Service)')],
];

const LASTING: readonly (readonly [title: string, stderr: string])[] = [
  ['401', reading('unauthorized: authentication required')],
  [
    'no token for us',
    initializing(
      'Requesting bearer token: invalid status code from registry 403 (Forbidden): denied: denied',
    ),
  ],
  ['403', reading('denied: requested access to the resource is denied')],
  ['404', reading('received unexpected HTTP status: 404 Not Found')],
  ['an unknown manifest', reading('manifest unknown')],
  [
    'a repository that is not there',
    reading('name unknown: repository name not known to registry'),
  ],
  [
    'a full disk',
    `${BLOB} writing blob: adding layer with blob "sha256:0a": processing tar file(write /usr/lib/a: no space left on device): exit status 1`,
  ],
  [
    'another digest than asked for',
    `${BLOB} reading blob sha256:0a: Digest did not match, expected sha256:0a, got sha256:0b`,
  ],
  [
    'a manifest of another digest',
    reading(`manifest does not match provided manifest digest sha256:${'0a'.repeat(32)}`),
  ],
  [
    'no image for this architecture',
    'Error: choosing an image from manifest list docker://ghcr.io/o/web: no image found in image index for architecture arm64, variant "v8", OS linux',
  ],
  [
    'a certificate of nobody',
    pinging('tls: failed to verify certificate: x509: unknown authority'),
  ],
  ['a name that podman does not take', 'Error: invalid reference format'],
  ['nothing', ''],
];

describe('another try may help against', () => {
  for (const [title, stderr] of TRANSIENT)
    test(title, () => assert.equal(isTransientPullError(stderr, NAME), true));
});

describe('another try does not help against', () => {
  for (const [title, stderr] of LASTING)
    test(title, () => assert.equal(isTransientPullError(stderr, NAME), false));

  const NAMED = ['401', '403', '404', 'an unknown manifest', 'a full disk'];
  for (const [title, stderr] of LASTING.filter(([name]) => NAMED.includes(name)))
    test(`${title}, also where the tries before failed otherwise`, () => {
      const earlier = `time="2026-11-26T15:00:00Z" level=warning msg="Failed, retrying in 1s ... (1/3). ${pinging('EOF')}"\n`;
      assert.equal(isTransientPullError(earlier, NAME), true);
      assert.equal(isTransientPullError(`${earlier}${stderr}`, NAME), false);
    });

  test('what only has a number that looks like a status', () => {
    assert.equal(
      isTransientPullError('Error: writing blob: 5031 bytes, port 15020, id 500', NAME),
      false,
    );
  });
});

test('the name of the image says nothing', () => {
  const denied = 'ghcr.io/denied/unauthorized';
  const named = (name: string, why: string) =>
    `Error: initializing source docker://${name}@sha256:0a: reading manifest in ${name}: ${why}`;
  const ask = (name: string, why: string) =>
    isTransientPullError(named(name, why), `${name}@sha256:0a`);
  assert.equal(ask(denied, 'i/o timeout'), true);
  assert.equal(ask('ghcr.io/o/timeout', 'name unknown: Repository not known'), false);
});

describe('a pull was refused for the rate of requests', () => {
  const LIMITED = ['a registry that has had enough of us', 'a token that cannot be had yet', '429'];
  for (const [title, stderr] of TRANSIENT)
    test(`${LIMITED.includes(title)}: ${title}`, () =>
      assert.equal(isRateLimitedPull(stderr, NAME), LIMITED.includes(title)));
  for (const [title, stderr] of LASTING)
    test(`false: ${title}`, () => assert.equal(isRateLimitedPull(stderr, NAME), false));

  test('true: in the words of podman', () =>
    assert.equal(isRateLimitedPull(reading('too many requests to registry'), NAME), true));

  test('false: that is the name of the image', () => {
    const name = 'ghcr.io/toomanyrequests/web@sha256:0a';
    assert.equal(isRateLimitedPull(`Error: reading docker://${name}: EOF`, name), false);
  });
});
