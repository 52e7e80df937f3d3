import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { loadSettings } from '../../../shared/config/load-settings.ts';

const load = (environment: NodeJS.ProcessEnv) =>
  loadSettings({ PODUP_STATE_DIR: '/tmp/podup', ...environment });

describe('open mode', () => {
  const OPEN: readonly NodeJS.ProcessEnv[] = [
    { PODUP_DEV_OPEN_ADMIN: '1' },
    { PODUP_ENV: 'dev' },
    { PODUP_ENV: 'Development' },
    { PODUP_ENV: 'demo' },
    { PODUP_ENV: 'production', PODUP_DEV_OPEN_ADMIN: 'yes' },
  ];
  for (const environment of OPEN) {
    for (const [address, isFine] of [
      ['127.0.0.1:25111', true],
      ['127.9.9.9:1', true],
      ['[::1]:25111', true],
      ['0.0.0.0:25111', false],
      ['[::]:25111', false],
      ['192.168.1.5:25111', false],
      ['[::ffff:127.0.0.1]:25111', false],
    ] as const) {
      test(`${JSON.stringify(environment)} on ${address} is ${isFine ? 'allowed' : 'refused, in words'}`, () => {
        const result = load({ ...environment, PODUP_HTTP_ADDR: address });
        assert.equal(result.ok, isFine);
        if (result.ok) return;
        assert.match(
          result.faults[0] ?? '',
          /^PODUP_(?:DEV_OPEN_ADMIN|ENV=\w+): it lets everybody do everything without a credential, so PODUP_HTTP_ADDR has to be a loopback address/,
        );
      });
    }
  }

  test('is refused behind a proxy, which everybody reaches', () => {
    const result = load({ PODUP_ENV: 'dev', PODUP_TRUSTED_PROXIES: '127.0.0.1' });
    assert.ok(!result.ok);
    assert.match(result.faults[0] ?? '', /there may be no proxy in front/);
  });

  for (const environment of [
    {},
    { PODUP_ENV: 'prod' },
    { PODUP_ENV: 'dev', PODUP_DEV_OPEN_ADMIN: '0' },
  ]) {
    test(`${JSON.stringify(environment)} is not open, so every address is allowed`, () => {
      assert.ok(load({ ...environment, PODUP_HTTP_ADDR: '0.0.0.0:1' }).ok);
    });
  }
});

describe('ForwardAuth', () => {
  const ALL = {
    PODUP_FWD_AUTH_HEADER: 'Remote-Groups',
    PODUP_FWD_AUTH_ADMIN_VALUE: 'admins',
    PODUP_TRUSTED_PROXIES: '10.0.0.2',
  };
  test('that is complete is no matter for a warning', () => {
    const result = load(ALL);
    assert.deepEqual(result.ok && result.loaded.warnings, []);
    assert.equal(result.ok && result.loaded.settings.forwardAuthHeader, 'remote-groups');
  });

  for (const missing of Object.keys(ALL) as (keyof typeof ALL)[]) {
    test(`without ${missing} is off, and that is said`, () => {
      const result = load({ ...ALL, [missing]: '' });
      assert.ok(result.ok);
      const said = result.loaded.warnings.join();

      assert.ok(said.includes(`ForwardAuth is off: it also needs ${missing};`), said);
    });
  }

  for (const name of ['Authorization', 'cookie', 'Host', 'a b', 'x:y', '']) {
    test(`cannot use ${JSON.stringify(name)} as its header`, () => {
      const result = load({ ...ALL, PODUP_FWD_AUTH_HEADER: name });
      assert.equal(result.ok, name === '');
    });
  }
});
