import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  forwardArguments,
  masterArguments,
  sessionArguments,
} from '../../../../app/host/ssh/client-arguments.ts';

const CLIENT = {
  target: { user: 'deploy', host: 'host', port: 2222 },
  extra: ['-F', 'config'],
  controlPath: '/run/a b%c/x',
};
const ALL = [
  masterArguments(CLIENT, 1_500, 'cat'),
  sessionArguments(CLIENT, 'cat'),
  forwardArguments(CLIENT, '::1', 80),
];

test('every client asks for nothing, trusts no new key and forwards nothing', () => {
  for (const argv of ALL) {
    assert.deepEqual(argv.slice(0, 6), ['ssh', '-F', 'config', '-T', '-a', '-x']);
    for (const option of [
      ...['BatchMode=yes', 'StrictHostKeyChecking=yes', 'ClearAllForwardings=yes'],
      ...['ForwardAgent=no', 'PermitLocalCommand=no', 'RequestTTY=no', 'EscapeChar=none'],
      'ControlPath="/run/a b%%c/x"',
    ])
      assert.equal(argv[argv.indexOf(option) - 1], '-o', option);
  }
});

test('the target stands behind the options, and nothing but the constant command behind it', () => {
  const [master, session, forward] = ALL;
  const end = ['-l', 'deploy', '-p', '2222', '--', 'host'];
  assert.deepEqual(master?.slice(-7), [...end, 'cat']);
  assert.deepEqual(session?.slice(-7), [...end, 'cat']);
  assert.deepEqual(forward?.slice(-6), end);
  const bare = sessionArguments({ ...CLIENT, target: { host: 'host' } }, 'cat');
  assert.deepEqual(bare.slice(-3), ['--', 'host', 'cat']);
  assert.ok(!bare.includes('-l') && !bare.includes('-p'));
});

test('only the master connects, and notices within 15 s that nobody answers', () => {
  const [master, ...others] = ALL;
  for (const option of ['ControlMaster=yes', 'ServerAliveInterval=5', 'ServerAliveCountMax=2'])
    assert.ok(master?.includes(option), option);
  assert.ok(master?.includes('ConnectTimeout=2'));
  for (const argv of others) {
    assert.ok(argv.includes('ControlMaster=no'));
    assert.ok(argv.some((word) => word.startsWith('ProxyCommand=')));
  }
});

test('a forward goes to one place', () => {
  const place = (host: string) => {
    const argv = forwardArguments(CLIENT, host, 80);
    return argv[argv.indexOf('-W') + 1];
  };
  assert.equal(place('::1'), '[::1]:80');
  assert.equal(place('localhost'), 'localhost:80');
});
