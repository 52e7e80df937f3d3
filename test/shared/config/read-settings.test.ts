import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { readSettings } from '../../../shared/config/read-settings.ts';
import { DEPRECATED_NAMES, SETTINGS, type Settings } from '../../../shared/config/settings.ts';

const SECRET = 'correct horse battery';

function noFile(path: string): never {
  throw Object.assign(new Error(path), { code: 'ENOENT' });
}

function read(environment: NodeJS.ProcessEnv, files: Record<string, string> = {}) {
  return readSettings(environment, (path) => files[path] ?? noFile(path));
}

function settingsOf(environment: NodeJS.ProcessEnv, files: Record<string, string> = {}): Settings {
  const reading = read(environment, files);
  assert.ok(reading.ok, JSON.stringify(reading));
  return reading.settings;
}

function faultsOf(environment: NodeJS.ProcessEnv, files: Record<string, string> = {}) {
  const reading = read(environment, files);
  assert.ok(!reading.ok, 'no fault was found');
  return reading.faults;
}

test('an empty environment gives the documented defaults and nothing optional', () => {
  assert.deepEqual(settingsOf({}), {
    httpAddr: { host: '127.0.0.1', port: 25111 },
    profile: 'production',
    sessionIdleMs: 43_200_000,
    sessionMaxMs: 604_800_000,
    trustedProxies: [],
    webhookMaxBodyBytes: 1_048_576,
    webhookWindowMs: 1_000,
    githubApiUrl: 'https://api.github.com',
    githubHooks: [],
    units: [],
    autoDiscover: false,
    discoverySweepMs: 300_000,
    registryTimeoutMs: 10_000,
    updateStaleMs: 7_200_000,
    higherTags: 'minor',
    autoUpdateCron: '*/15 * * * *',
    missedDeliveriesCron: '29 * * * *',
    reconcileCron: '7 * * * *',
    schedulerIntervalS: 900,
    schedulerMinIntervalS: 60,
    updateCheckCron: '41 * * * *',
    autoUpdateUnit: 'podman-auto-update.service',
    autoUpdateTimeoutMs: 1_800_000,
    autoUpdateLogQuietS: 600,
    failedLimitCount: 20,
    failedLimitWindowSecs: 600,
    failedTotalLimitCount: 500,
    limit1Count: 2,
    limit1WindowSecs: 600,
    limit2Count: 10,
    limit2WindowSecs: 18_000,
    pullTimeoutMs: 1_800_000,
    restartTimeoutMs: 600_000,
    taskConcurrency: 2,
    taskExecutor: 'auto',
    systemdScope: 'user',
    sshConnectTimeoutMs: 15_000,
    journalLines: 100,
    deployMode: 'deploy',
    deploySoakMs: 10_000,
    deployStartTimeoutMs: 120_000,
    deployRollback: true,
    deployMinAgeMs: 0,
    deployKeepImages: 2,
    quarantineMs: 0,
    taskRetentionMs: 34_560_000_000,
    deliveryRetentionMs: 34_560_000_000,
    pruneCron: '17 3 * * *',
    backupCron: '47 3 * * *',
    backupKeep: 7,
    scheduleSpreadMs: 60_000,
    eventsExclude: ['health', 'static', 'metrics', 'sse-hello'],
    metricsOpen: false,
    eventRetentionMs: 34_560_000_000,
    eventMaxRows: 10_000_000,
    minFreeBytes: 104_857_600,
    releaseApiUrl: 'https://api.github.com',
    releaseChannel: 'stable',
    releasePublicKeys: [],
    selfUpdateDryRun: false,
    selfUpdateSoakMs: 60_000,
    selfUpdateStartTimeoutMs: 60_000,
    selfUpdateIdleTimeoutMs: 600_000,
    logLevel: 'info',
    backoffInitialMs: 500,
    backoffMaxMs: 60_000,
    stopTimeoutMs: 30_000,
    hookToleranceMs: 300_000,
    imageLimitCount: 60,
    imageLimitWindowSecs: 3600,
    maxConnections: 1000,
    maxConnectionsPerAddress: 300,
    headTimeoutMs: 10_000,
    requestTimeoutMs: 30_000,
    minBodyRate: 500,
  });
});

test('an empty value is the same as none', () => {
  const empty = Object.fromEntries(
    Object.values(SETTINGS).map(({ variable }): [string, string] => [variable, '']),
  );
  assert.deepEqual(settingsOf(empty), settingsOf({}));
});

describe('a value that is allowed', () => {
  type Row = readonly [variable: string, raw: string, key: keyof Settings, value: unknown];
  const ROWS: readonly Row[] = [
    ['PODUP_HTTP_ADDR', '[::1]:8080', 'httpAddr', { host: '::1', port: 8080 }],
    ['PODUP_STATE_DIR', '/var/lib/podup//', 'stateDir', '/var/lib/podup'],
    ['PODUP_STATE_DIR', '/stände mit leer', 'stateDir', '/stände mit leer'],
    ['PODUP_DB_URL', '/x/y.db', 'databasePath', '/x/y.db'],
    ['PODUP_DB_URL', 'sqlite:/x/y.db', 'databasePath', '/x/y.db'],
    ['PODUP_DB_URL', 'sqlite:///x/y.db', 'databasePath', '/x/y.db'],
    ['PODUP_TOKEN', '8 charss', 'adminToken', '8 charss'],
    ['PODUP_WEBHOOK_MAX_BODY_BYTES', '1024', 'webhookMaxBodyBytes', 1024],
    ['PODUP_WEBHOOK_MAX_BODY_BYTES', '26214400', 'webhookMaxBodyBytes', 26_214_400],
    ['PODUP_AUTO_DISCOVER', '1', 'autoDiscover', true],
    ['PODUP_MANUAL_UNITS', 'web, db.service\nweb', 'units', ['web.service', 'db.service']],
    ['PODUP_TASK_EXECUTOR', 'child', 'taskExecutor', 'child'],
    ['PODUP_SYSTEMD_SCOPE', 'system', 'systemdScope', 'system'],
    ['PODUP_SSH_TARGET', 'u@host', 'sshTarget', 'u@host'],
    ['PODUP_SSH_CONFIG', '/c', 'sshConfigFile', '/c'],
    ['PODUP_LOG_LEVEL', 'fatal', 'logLevel', 'fatal'],
    ['PODUP_TASK_CONCURRENCY', ' 32 ', 'taskConcurrency', 32],
    ['PODUP_DEPLOY_MODE', 'stage', 'deployMode', 'stage'],
    ['PODUP_DEPLOY_ROLLBACK', 'no', 'deployRollback', false],
    ['PODUP_DEPLOY_KEEP_IMAGES', '20', 'deployKeepImages', 20],
    ['PODUP_QUARANTINE_MS', '31536000000', 'quarantineMs', 31_536_000_000],
    ['PODUP_MIN_FREE_BYTES', '0', 'minFreeBytes', 0],
    ['PODUP_EVENTS_EXCLUDE', 'none', 'eventsExclude', []],
    ['PODUP_EVENTS_EXCLUDE', 'static, health,static', 'eventsExclude', ['static', 'health']],
    [
      'PODUP_PUBLIC_BASE_URL',
      'https://x.example/hooks/',
      'publicBaseUrl',
      'https://x.example/hooks',
    ],
    ['PODUP_METRICS_OPEN', 'on', 'metricsOpen', true],
    ['PODUP_DEBUG_PAYLOAD_PATH', '/p.bin', 'debugPayloadPath', '/p.bin'],
    ['PODUP_EVENT_RETENTION', '1d', 'eventRetentionMs', 86_400_000],
    ['PODUP_EVENT_RETENTION', '100y', 'eventRetentionMs', 3_155_760_000_000],
    ['PODUP_EVENT_MAX_ROWS', '1000', 'eventMaxRows', 1_000],
    ['PODUP_EVENT_MAX_ROWS', '100000000', 'eventMaxRows', 100_000_000],
    ['PODUP_TARGET_BIN', '/opt/podup', 'targetBin', '/opt/podup'],
    ['PODUP_RELEASE_REPOSITORY', 'owner/a.b-c_d', 'releaseRepository', 'owner/a.b-c_d'],
    ['PODUP_RELEASE_API_URL', 'https://ghe.x/api/v3/', 'releaseApiUrl', 'https://ghe.x/api/v3'],
    ['PODUP_RELEASE_BASE_URL', 'file:///srv/rel', 'releaseBaseUrl', '/srv/rel'],
    ['PODUP_RELEASE_TAG', 'v1.2.3-beta.1+5', 'releaseTag', 'v1.2.3-beta.1+5'],
    ['PODUP_RELEASE_CHANNEL', 'beta', 'releaseChannel', 'beta'],
    ['PODUP_RELEASE_TOKEN', '8 charss', 'releaseToken', '8 charss'],
    ['PODUP_GITHUB_TOKEN', 'github_pat_1', 'githubToken', 'github_pat_1'],
    ['PODUP_GITHUB_API_URL', 'https://ghe.x/api/v3/', 'githubApiUrl', 'https://ghe.x/api/v3'],
    [
      'PODUP_GITHUB_HOOKS',
      'o/r/5, orgs/acme/6 o/r/5',
      'githubHooks',
      [
        { name: 'o/r/5', id: '5', path: '/repos/o/r/hooks/5' },
        { name: 'orgs/acme/6', id: '6', path: '/orgs/acme/hooks/6' },
      ],
    ],
    ['PODUP_SELF_UPDATE_CRON', '0 4 * * *', 'selfUpdateCron', '0 4 * * *'],
    ['PODUP_SELF_UPDATE_DRY_RUN', 'Yes', 'selfUpdateDryRun', true],
    ['PODUP_SELF_UPDATE_REPORT_DIR', '/r/', 'selfUpdateReportDir', '/r'],
    ['PODUP_SELF_UPDATE_SOAK_MS', '0', 'selfUpdateSoakMs', 0],
  ];
  for (const [variable, raw, key, value] of ROWS)
    test(`${variable}=${JSON.stringify(raw)} is read`, () =>
      assert.deepEqual(settingsOf({ [variable]: raw })[key], value));
});

describe('a value that is not allowed', () => {
  const ROWS: readonly (readonly [variable: string, raw: string])[] = [
    ['PODUP_HTTP_ADDR', 'example.org:80'],
    ['PODUP_STATE_DIR', 'var/lib'],
    ['PODUP_STATE_DIR', '/var\0lib'],
    ['PODUP_DB_URL', 'sqlite:relative.db'],
    ['PODUP_DB_URL', 'sqlite:///x.db?mode=memory'],
    ['PODUP_DB_URL', 'postgres://host/x'],
    ['PODUP_PUBLIC_BASE_URL', 'ftp://x.example'],
    ['PODUP_PUBLIC_BASE_URL', 'https://user:secret@x.example'],
    ['PODUP_PUBLIC_BASE_URL', 'https://x.example/?q=1'],
    ['PODUP_WEBHOOK_MAX_BODY_BYTES', '1023'],
    ['PODUP_WEBHOOK_MAX_BODY_BYTES', '26214401'],
    ['PODUP_WEBHOOK_MAX_BODY_BYTES', '1e4'],
    ['PODUP_MANUAL_UNITS', 'web, ../etc'],
    ['PODUP_MANUAL_UNITS', '--now'],
    ['PODUP_TASK_CONCURRENCY', '0'],
    ['PODUP_TASK_CONCURRENCY', '33'],
    ['PODUP_TASK_CONCURRENCY', '-1'],
    ['PODUP_TASK_CONCURRENCY', '2.5'],
    ['PODUP_TASK_EXECUTOR', 'docker'],
    ['PODUP_DEPLOY_MODE', 'Deploy'],
    ['PODUP_DEPLOY_SOAK_MS', '3600001'],
    ['PODUP_DEPLOY_START_TIMEOUT_MS', '999'],
    ['PODUP_DEPLOY_ROLLBACK', 'perhaps'],
    ['PODUP_DEPLOY_MIN_AGE_MS', '31536000001'],
    ['PODUP_DEPLOY_KEEP_IMAGES', '21'],
    ['PODUP_LOG_LEVEL', 'INFO'],
    ['PODUP_STOP_TIMEOUT_MS', '999'],
    ['PODUP_PULL_TIMEOUT_MS', '30s'],
    ['PODUP_TARGET_BIN', 'bin/podup'],
    ['PODUP_GITHUB_API_URL', 'http://ghe.example'],
    ['PODUP_GITHUB_HOOKS', 'o/r'],
    ['PODUP_GITHUB_HOOKS', 'o/../5'],
    ['PODUP_RELEASE_REPOSITORY', 'owner'],
    ['PODUP_RELEASE_REPOSITORY', 'owner/repo/more'],
    ['PODUP_RELEASE_API_URL', 'http://api.example.org'],
    ['PODUP_RELEASE_BASE_URL', 'ftp://example.org'],
    ['PODUP_RELEASE_TAG', '../v1'],
    ['PODUP_RELEASE_TAG', '-v1'],
    ['PODUP_RELEASE_CHANNEL', 'nightly'],
    ['PODUP_RELEASE_PUBLIC_KEYS', 'id:short'],
    ['PODUP_SELF_UPDATE_DRY_RUN', 'maybe'],
    ['PODUP_SELF_UPDATE_IDLE_TIMEOUT_MS', '21600001'],
  ];
  for (const [variable, raw] of ROWS)
    test(`${variable}=${JSON.stringify(raw)} is one fault that names it and what is allowed`, () => {
      const faults = faultsOf({ [variable]: raw });
      assert.equal(faults.length, 1);
      const allowed = Object.values(SETTINGS).find((each) => each.variable === variable)?.allowed;
      assert.equal(
        faults[0],
        `${variable}: ${JSON.stringify(raw)} is not allowed; allowed: ${allowed}.`,
      );
    });
});

test('all faults are reported at once', () => {
  const faults = faultsOf({ PODUP_HTTP_ADDR: 'x', PODUP_TOKEN: 'short', PODUP_LOG_LEVEL: 'loud' });
  assert.deepEqual(
    faults.map((fault) => fault.split(':')[0]),
    ['PODUP_HTTP_ADDR', 'PODUP_TOKEN', 'PODUP_LOG_LEVEL'],
  );
});

test('a faulty secret is never printed, wherever it comes from', () => {
  const short = 'sesame7';
  const cases: [NodeJS.ProcessEnv, Record<string, string>][] = [
    [{ PODUP_TOKEN: short }, {}],
    [{ PODUP_TOKEN_FILE: '/f' }, { '/f': short }],
    [{ CREDENTIALS_DIRECTORY: '/c' }, { '/c/PODUP_TOKEN': short }],
    [{ WEBHOOK_TOKEN: short }, {}],
  ];
  for (const [environment, files] of cases) {
    const text = faultsOf(environment, files).join('\n');
    assert.match(text, /the given value is not allowed; allowed: 8 to 4096 characters/);
    assert.doesNotMatch(text, /sesame7/);
  }
});

test('a long faulty value is cut', () => {
  const [fault = ''] = faultsOf({ PODUP_HTTP_ADDR: 'x'.repeat(5000) });
  assert.ok(fault.length < 400, fault);
});

describe('a secret', () => {
  test('is read from the file that NAME_FILE names, without the line feed at its end', () => {
    const environment = { PODUP_TOKEN_FILE: '/run/token' };
    assert.equal(settingsOf(environment, { '/run/token': `${SECRET}\n` }).adminToken, SECRET);
  });

  test('is read from the systemd credential of its name', () => {
    const environment = { CREDENTIALS_DIRECTORY: '/creds' };
    const files = { '/creds/PODUP_GH_WEBHOOK_SECRET': `${SECRET}\n` };
    assert.equal(settingsOf(environment, files).webhookSecret, SECRET);
  });

  test('that no credential carries is simply not set', () => {
    assert.equal(settingsOf({ CREDENTIALS_DIRECTORY: '/creds' }).adminToken, undefined);
  });

  test('in a file that cannot be read is a fault, never "none"', () => {
    assert.deepEqual(faultsOf({ PODUP_TOKEN_FILE: '/nowhere' }), [
      'PODUP_TOKEN_FILE: "/nowhere" cannot be read (ENOENT); allowed: a readable text file.',
    ]);
  });

  test('in a file whose reader gives no code is a fault too', () => {
    const reading = readSettings({ PODUP_TOKEN_FILE: '/x' }, () => {
      throw new Error('no');
    });
    assert.ok(!reading.ok);
    assert.match(reading.faults[0] ?? '', /unreadable/);
  });

  test('in an empty file is a fault', () => {
    assert.match(faultsOf({ PODUP_TOKEN_FILE: '/e' }, { '/e': '\n' })[0] ?? '', /PODUP_TOKEN_FILE/);
  });

  test('given directly and as a file is a fault, for nobody knows which one is meant', () => {
    const environment = { PODUP_TOKEN: SECRET, PODUP_TOKEN_FILE: '/t' };
    assert.deepEqual(faultsOf(environment, { '/t': SECRET }), [
      'PODUP_TOKEN: set it or PODUP_TOKEN_FILE, not both.',
    ]);
  });

  test('given directly wins over a credential, and so does a file', () => {
    const files = { '/creds/PODUP_TOKEN': 'from the credential', '/t': 'from the file' };
    const credentials = { CREDENTIALS_DIRECTORY: '/creds' };
    const direct = settingsOf({ ...credentials, PODUP_TOKEN: SECRET }, files);
    assert.equal(direct.adminToken, SECRET);
    const named = settingsOf({ ...credentials, PODUP_TOKEN_FILE: '/t' }, files);
    assert.equal(named.adminToken, 'from the file');
  });

  test('is the only kind of setting that a file may carry', () => {
    const reading = read({ PODUP_LOG_LEVEL_FILE: '/l' }, { '/l': 'debug' });
    assert.ok(reading.ok);
    assert.equal(reading.settings.logLevel, 'info');
    assert.match(reading.warnings[0] ?? '', /PODUP_LOG_LEVEL_FILE is not a known setting/);
  });
});

describe('an older name', () => {
  const VALUES: Record<string, string> = {
    PODUP_STATE_DIR: '/s',
    PODUP_DB_URL: '/d.db',
    PODUP_TARGET_BIN: '/bin/podup',
    PODUP_TASK_RETENTION: '86400',
    PODUP_UPDATE_STALE_AFTER: '600',
  };
  for (const [older, current] of Object.entries(DEPRECATED_NAMES))
    test(`${older} stands for ${current}, with a warning`, () => {
      const value = VALUES[current] ?? SECRET;
      const reading = read({ [older]: value });
      assert.ok(reading.ok);
      assert.deepEqual(reading.settings, settingsOf({ [current]: value }));
      assert.deepEqual(reading.warnings, [`${older} is deprecated; set ${current} instead.`]);
    });

  test('gives way to the new one, without a warning', () => {
    const reading = read({ WEBHOOK_TOKEN: 'the older token', PODUP_TOKEN: SECRET });
    assert.ok(reading.ok);
    assert.equal(reading.settings.adminToken, SECRET);
    assert.deepEqual(reading.warnings, []);
  });

  test('that is empty says nothing', () => {
    const settings = settingsOf({ WEBHOOK_TOKEN: '', WEBHOOK_MANUAL_TOKEN: SECRET });
    assert.deepEqual([settings.adminToken, settings.manualToken], [undefined, SECRET]);
  });

  test('is what a fault names when it was the one that was given', () => {
    assert.match(faultsOf({ WEBHOOK_STATE_DIR: 'relative' })[0] ?? '', /^WEBHOOK_STATE_DIR: /);
  });
});

describe('an unknown PODUP_ name', () => {
  const ROWS: readonly (readonly [string, string])[] = [
    ['PODUP_TOKN', 'PODUP_TOKEN'],
    ['PODUP_HTTP_ADDRESS', 'PODUP_HTTP_ADDR'],
    ['PODUP_GH_WEBHOOK_SECRET_PREVIUS', 'PODUP_GH_WEBHOOK_SECRET_PREVIOUS'],
    ['PODUP_TOKEN_FIEL', 'PODUP_TOKEN_FILE'],
  ];
  for (const [name, nearest] of ROWS)
    test(`${name} is reported with ${nearest}`, () => {
      const reading = read({ [name]: 'x' });
      assert.ok(reading.ok);
      assert.deepEqual(reading.warnings, [
        `${name} is not a known setting; did you mean ${nearest}?`,
      ]);
    });

  test('is not any other name of the environment', () => {
    const reading = read({ PATH: '/bin', PODMAN_TOKEN: 'x' });
    assert.ok(reading.ok);
    assert.deepEqual(reading.warnings, []);
  });
});

test('whatever the environment, there are either all settings or at least one fault', () => {
  const names = Object.values(SETTINGS).map(({ variable }) => variable);
  const environments = fc.dictionary(
    fc.constantFrom(...names, ...Object.keys(DEPRECATED_NAMES), 'PODUP_TOKEN_FILE', 'PODUP_X'),
    fc.oneof(fc.string(), fc.constantFrom('1', '100', '5000', 'web', '/a', 'info', '0.0.0.0:1')),
  );
  const required = Object.keys(settingsOf({}));
  fc.assert(
    fc.property(environments, (environment) => {
      const reading = read(environment);
      if (!reading.ok) return assert.ok(reading.faults.length > 0);
      for (const key of required) assert.ok(key in reading.settings, key);
    }),
  );
});
