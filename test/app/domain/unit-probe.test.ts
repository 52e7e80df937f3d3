import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseProbe } from '../../../app/domain/unit-probe.ts';

const GOOD: readonly (readonly [raw: string, probe: ReturnType<typeof parseProbe>])[] = [
  ['http://127.0.0.1:80/up', { kind: 'http', url: 'http://127.0.0.1/up' }],
  ['https://x.example/a?b=c', { kind: 'http', url: 'https://x.example/a?b=c' }],
  ['HTTP://[::1]:8080', { kind: 'http', url: 'http://[::1]:8080/' }],
  ['tcp:127.0.0.1:5432', { kind: 'tcp', host: '127.0.0.1', port: 5432 }],
  ['tcp:db-1.local:65535', { kind: 'tcp', host: 'db-1.local', port: 65_535 }],
  ['tcp:[::1]:1', { kind: 'tcp', host: '::1', port: 1 }],
  ['exec:/bin/true', { kind: 'exec', argv: ['/bin/true'] }],
  ['exec: /bin/a "b c" \'d\' ""', { kind: 'exec', argv: ['/bin/a', 'b c', 'd', ''] }],
  ['exec:/bin/a $x;y', { kind: 'exec', argv: ['/bin/a', '$x;y'] }],
];
for (const [raw, probe] of GOOD)
  test(`${raw} is a probe`, () => assert.deepEqual(parseProbe(raw), probe));

const BAD = [
  ...['', 'yes', 'http:', 'http://', 'http:x', 'http:/x', 'http://a b/', 'http://x:99999/'],
  ...['http://user@x/', 'http://user:word@x/', 'https://:word@x/', 'ftp://x/', 'file:///x'],
  ...['tcp:', 'tcp:80', 'tcp:x', 'tcp:x:', 'tcp:x:0', 'tcp:x:65536', 'tcp:x:1x', 'tcp:x: 1'],
  ...['tcp:::1:80', 'tcp:[x]:80', 'tcp:[:::]:80', 'tcp:-x:80', 'tcp://x:80', 'tcp:a b:80'],
  ...['exec:', 'exec:true', 'exec:./true', 'exec:/bin/a "b', 'exec:"" /bin/a', 'EXEC:/bin/a'],
  `exec:/${'x'.repeat(4_091)}`,
];
for (const raw of BAD)
  test(`${JSON.stringify(raw.slice(0, 40))} is no probe`, () =>
    assert.equal(parseProbe(raw), undefined));

test('a probe of 4096 characters is one', () => {
  assert.ok(parseProbe(`exec:/${'x'.repeat(4_090)}`));
});
