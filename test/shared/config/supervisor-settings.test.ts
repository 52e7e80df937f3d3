import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readSettings } from '../../../shared/config/read-settings.ts';
import { SETTINGS, type SettingKey } from '../../../shared/config/settings.ts';
import {
  LOG_LEVELS,
  readSupervisorSettings,
  SUPERVISOR_DEFAULTS,
  type SupervisorSettings,
} from '../../../shared/config/supervisor-settings.ts';

/** What the supervisor calls a setting, and the worker. */
const KEYS = {
  httpAddr: 'httpAddr',
  backoffInitialMs: 'backoffInitialMs',
  backoffMaxMs: 'backoffMaxMs',
  stopTimeoutMs: 'stopTimeoutMs',
  soakMs: 'selfUpdateSoakMs',
  updateStartTimeoutMs: 'selfUpdateStartTimeoutMs',
  idleTimeoutMs: 'selfUpdateIdleTimeoutMs',
  logLevel: 'logLevel',
} as const satisfies Record<keyof SupervisorSettings, SettingKey>;
const ADDRESSES = ['0.0.0.0:1', '[::]:0', ' localhost:80 ', '127.0.0.01:1', 'host:1', '1.2.3.4'];

/** Texts at and around what each of the variables allows. */
const texts = fc.oneof(
  fc.string(),
  fc.constantFrom('', ' ', ...ADDRESSES, ...LOG_LEVELS, 'INFO', ' info'),
  fc.constantFrom('9', '10', '999', '1000', ' 1000\n', '60000', '60001', '600000', '600001'),
  fc.constantFrom(
    '3600000',
    '3600001',
    '21600000',
    '21600001',
    '0',
    '-1',
    '1e3',
    '0x400',
    '1000.0',
    '0001000',
  ),
  fc.nat(4_000_000).map(String),
);
const environments = fc.record(
  Object.fromEntries(Object.values(KEYS).map((key) => [SETTINGS[key].variable, texts])),
  { requiredKeys: [] },
);

test('the supervisor and the worker accept the same environments and read the same from them', () => {
  fc.assert(
    fc.property(environments, (environment) => {
      const ours = readSupervisorSettings(environment);
      const theirs = readSettings(environment, () => '');
      assert.equal(ours !== undefined, theirs.ok, JSON.stringify(theirs));
      if (!theirs.ok) return;
      const { settings } = theirs;
      const same = Object.fromEntries(
        Object.entries(KEYS).map(([ours, theirs]) => [ours, settings[theirs]]),
      );
      assert.deepEqual(ours, same);
    }),
    { numRuns: 2000 },
  );
});

test('one variable at a time, both accept the same texts', () => {
  const variables = fc.constantFrom(...Object.keys(SUPERVISOR_DEFAULTS));
  fc.assert(
    fc.property(variables, texts, (variable, text) => {
      const environment = { [variable]: text };
      const theirs = readSettings(environment, () => '');
      assert.equal(readSupervisorSettings(environment) !== undefined, theirs.ok);
    }),
    { numRuns: 2000 },
  );
});

test('without any variable the supervisor has its defaults', () => {
  assert.deepEqual(readSupervisorSettings({}), {
    httpAddr: { host: '127.0.0.1', port: 25111 },
    backoffInitialMs: 500,
    backoffMaxMs: 60_000,
    stopTimeoutMs: 30_000,
    soakMs: 60_000,
    updateStartTimeoutMs: 60_000,
    idleTimeoutMs: 600_000,
    logLevel: 'info',
  });
});
