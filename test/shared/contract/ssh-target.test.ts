import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  isHostName,
  isPort,
  parseSshTarget,
  type SshTarget,
} from '../../../shared/contract/ssh-target.ts';

describe('a target', () => {
  const ROWS: readonly (readonly [text: string, target: SshTarget])[] = [
    ['host', { host: 'host' }],
    ['deploy@host.example', { user: 'deploy', host: 'host.example' }],
    ['user@realm@host', { user: 'user@realm', host: 'host' }],
    ['192.0.2.1', { host: '192.0.2.1' }],
    ['::1', { host: '::1' }],
    ['root@2001:db8::1', { user: 'root', host: '2001:db8::1' }],
    ['ssh://host', { host: 'host' }],
    ['ssh://host/', { host: 'host' }],
    ['ssh://deploy@host:2222', { user: 'deploy', host: 'host', port: 2222 }],
    ['ssh://[2001:db8::1]:22', { host: '2001:db8::1', port: 22 }],
    ['ssh://[::1]', { host: '::1' }],
  ];
  for (const [text, target] of ROWS)
    test(`is read: ${text}`, () => {
      assert.deepEqual(parseSshTarget(text), target);
    });

  const WRONG = [
    ...[
      '',
      '-host',
      '-oProxyCommand=id',
      'a b',
      'a\nb',
      'host:22',
      '@host',
      'user@',
      '$(id)',
      '`id`',
    ],
    ...["'", '"', 'a;b', 'a/b', 'a%h', 'http://host', 'ssh://', 'ssh://host:', 'ssh://host:0'],
    ...['ssh://host:65536', 'ssh://host:2x', 'ssh://host/path', 'ssh://-host', 'ssh://-user@host'],
    ...[
      'user@-host',
      '-user@host',
      'ssh://[host]',
      'ssh://[::1',
      'ssh://::1',
      'ä',
      'ssh://u:p@host',
    ],
    'x'.repeat(301),
  ];
  for (const text of WRONG)
    test(`is refused: ${JSON.stringify(text.slice(0, 30))}`, () => {
      assert.equal(parseSshTarget(text), undefined);
    });
});

test('a name of a host has nothing that an option parser reads', () => {
  for (const name of ['localhost', 'a-b.example', '_srv', '127.0.0.1', '::1', 'fe80::1'])
    assert.ok(isHostName(name), name);
  for (const name of ['', '-h', '[::1]', 'g:1', 'a b', 'fe80::1%eth0', 'x'.repeat(301)])
    assert.ok(!isHostName(name), name);
});

test('a port is a whole number from 1 to 65535', () => {
  for (const port of [1, 80, 65_535]) assert.ok(isPort(port));
  for (const port of [0, -1, 65_536, 1.5, Number.NaN]) assert.ok(!isPort(port));
});
