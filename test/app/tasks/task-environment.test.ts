import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { taskEnvironment } from '../../../app/tasks/task-environment.ts';
import { loadSettings } from '../../../shared/config/load-settings.ts';
import { NO_CLOCK } from '../../../shared/config/no-clock.ts';
import { DEPRECATED_NAMES, SETTINGS } from '../../../shared/config/settings.ts';

const SECRET_NAMES = Object.values(SETTINGS)
  .filter((setting) => 'secret' in setting)
  .map(({ variable }) => variable as string)
  .concat(Object.keys(DEPRECATED_NAMES).filter((name) => /TOKEN|SECRET/.test(name)));

function environmentFor(environment: NodeJS.ProcessEnv): Record<string, string> {
  const result = loadSettings({ PODUP_STATE_DIR: '/state', ...environment });
  assert.ok(result.ok, JSON.stringify(result));
  const { settings, paths } = result.loaded;
  return taskEnvironment(settings, paths, environment);
}

describe('task environment', () => {
  test('no secret passes, whatever the environment is', () => {
    const secret = fc
      .string({ minLength: 8, maxLength: 40 })
      .map((text) => `zgeheim${text.replaceAll('\0', '')}`);
    const secrets = fc.dictionary(fc.constantFrom(...SECRET_NAMES), secret);
    const foreign = fc.dictionary(
      fc.oneof(
        fc.stringMatching(/^[A-Z]{1,10}_(TOKEN|SECRET|PASSWORD|KEY)$/),
        fc.constantFrom(
          'CREDENTIALS_DIRECTORY',
          'NODE_OPTIONS',
          'LD_PRELOAD',
          'NOTIFY_SOCKET',
          'LISTEN_FDS',
          'NODE_CHANNEL_FD',
          'PODUP_HTTP_ADDR',
          'PODUP_TASK_ID',
        ),
      ),
      fc.constant('zgeheim'),
    );
    const host = fc.dictionary(
      fc.constantFrom('PATH', 'HOME', 'LANG', 'HTTPS_PROXY'),
      fc.constant('passed'),
    );
    assert.ok(SECRET_NAMES.length >= 6, String(SECRET_NAMES));
    void fc.assert(
      fc.property(secrets, foreign, host, (a, b, c) => {
        const result = loadSettings({ PODUP_STATE_DIR: '/state', ...a });
        fc.pre(result.ok);
        if (!result.ok) return;
        const { settings, paths } = result.loaded;
        const made = taskEnvironment(settings, paths, { ...a, ...b, ...c });
        assert.doesNotMatch(JSON.stringify(made), /zgeheim/);
        for (const [name, value] of Object.entries(c)) assert.equal(made[name], value);
      }),
    );
  });

  test('the task reads the same settings from it as the worker has', () => {
    const given = {
      PODUP_STATE_DIR: '/state é',
      PODUP_DB_URL: 'sqlite:///elsewhere/x.db',
      PODUP_REGISTRY_TIMEOUT_MS: '1234',
      PODUP_PULL_TIMEOUT_MS: '2345',
      PODUP_RESTART_TIMEOUT_MS: '3456',
      PODUP_TASK_DIAGNOSTICS_JOURNAL_LINES: '17',
      PODUP_LOG_LEVEL: 'debug',
      PODUP_MANUAL_UNITS: 'web, other.service',
      PODUP_AUTO_DISCOVER: '1',
      PODUP_UPDATE_STALE_AFTER: '90s',
      PODUP_HIGHER_TAGS: 'patch',
      PODUP_SELF_UPDATE_REPORT_DIR: '/reports é',
    };
    // But for the schedule, of which it serves nothing.
    const worker = loadSettings({ ...given, ...NO_CLOCK });
    const task = loadSettings(environmentFor(given));
    assert.ok(worker.ok && task.ok);
    assert.deepEqual(task.loaded.settings, { ...worker.loaded.settings });
    assert.deepEqual(task.loaded.paths, worker.loaded.paths);
    assert.deepEqual(task.loaded.warnings, []);
  });

  test('what is not set is not passed, not even empty', () => {
    assert.deepEqual(
      Object.keys(environmentFor({})).filter((name) => !name.startsWith('PODUP_')),
      ['NODE_COMPILE_CACHE'],
    );
    assert.equal(
      environmentFor({ REGISTRY_AUTH_FILE: '/auth.json' })['REGISTRY_AUTH_FILE'],
      '/auth.json',
    );
  });

  test('compiled code is kept below the state directory, and not where coverage is measured', () => {
    assert.match(environmentFor({})['NODE_COMPILE_CACHE'] ?? '', /^\/state\/data\/compiled-/);
    const measured = environmentFor({ NODE_V8_COVERAGE: '/coverage' });
    assert.ok(!('NODE_COMPILE_CACHE' in measured));
  });
});
