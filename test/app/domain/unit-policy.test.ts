import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  parseUnitPolicy,
  policyDefaults,
  type UnitPolicy,
} from '../../../app/domain/unit-policy.ts';

const DEFAULTS: UnitPolicy = {
  mode: 'stage',
  soakMs: 11,
  startTimeoutMs: 1_200,
  probe: { kind: 'tcp', host: 'default', port: 1 },
  logMust: 'must',
  logMustNot: 'must not',
  rollback: true,
  minAgeMs: 13,
  windows: [{ weekdays: [1], startMinute: 2, endMinute: 3 }],
  quarantineMs: 14_000,
  keepImages: 5,
  writeImage: false,
  webhookEnabled: null,
  higherTags: 'minor',
};

function parse(...lines: readonly string[]): UnitPolicy {
  const parsed = parseUnitPolicy([`[X-PodUp]\n${lines.join('\n')}\n`], DEFAULTS);
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return parsed.value;
}

function faultOf(...texts: readonly string[]): string {
  const parsed = parseUnitPolicy(texts, DEFAULTS);
  assert.ok(!parsed.ok, 'no fault was found');
  assert.equal(parsed.failure.code, 'UNIT_POLICY_INVALID');
  return parsed.failure.detail;
}

const EARLY = { weekdays: [0, 1, 2, 3, 4, 5, 6], startMinute: 120, endMinute: 240 };

type Good = readonly [line: string, key: keyof UnitPolicy, value: unknown];
const GOOD: readonly Good[] = [
  ['Mode=observe', 'mode', 'observe'],
  ['Mode=deploy', 'mode', 'deploy'],
  ['Soak=0', 'soakMs', 0],
  ['Soak=1h', 'soakMs', 3_600_000],
  ['StartTimeout=1', 'startTimeoutMs', 1_000],
  ['StartTimeout=1min 30s', 'startTimeoutMs', 90_000],
  ['StartTimeout=60min', 'startTimeoutMs', 3_600_000],
  ['Probe=exec:/bin/a "b c"', 'probe', { kind: 'exec', argv: ['/bin/a', 'b c'] }],
  ['LogMust=^ready\\b/\\p{L}', 'logMust', '^ready\\b/\\p{L}'],
  [`LogMust=${'x'.repeat(500)}`, 'logMust', 'x'.repeat(500)],
  ['LogMustNot=panic|fatal', 'logMustNot', 'panic|fatal'],
  ...['1', 'yes', 'y', 'true', 't', 'on', 'YES'].flatMap((word): Good[] => [
    [`WebhookEnabled=${word}`, 'webhookEnabled', true],
    [`Rollback=${word}`, 'rollback', true],
  ]),
  ...['0', 'no', 'n', 'false', 'f', 'off', 'Off'].flatMap((word): Good[] => [
    [`WebhookEnabled=${word}`, 'webhookEnabled', false],
    [`Rollback=${word}`, 'rollback', false],
  ]),
  ['WriteImage=yes', 'writeImage', true],
  ['HigherTags=major', 'higherTags', 'major'],
  ['HigherTags=off', 'higherTags', 'off'],
  ['MinAge=0', 'minAgeMs', 0],
  ['MinAge=365d', 'minAgeMs', 31_536_000_000],
  ['Window=02:00-04:00', 'windows', [EARLY]],
  ['QuarantineFor=1s', 'quarantineMs', 1_000],
  ['QuarantineFor=365d', 'quarantineMs', 31_536_000_000],
  ['QuarantineFor=infinity', 'quarantineMs', null],
  ['KeepImages=1', 'keepImages', 1],
  ['KeepImages=20', 'keepImages', 20],
];
describe('a key that is set', () => {
  for (const [line, key, value] of GOOD)
    test(`${line.slice(0, 40)} changes ${key} and nothing else`, () =>
      assert.deepEqual(parse(line), { ...DEFAULTS, [key]: value }));
});

const SPAN = 'a time span of';
const BAD: readonly (readonly [line: string, allowed: string])[] = [
  ['Mode=Deploy', 'observe, stage or deploy'],
  ['Soak=3601', `${SPAN} 0 to 1 h`],
  ['Soak=soon', `${SPAN} 0 to 1 h`],
  ['StartTimeout=999ms', `${SPAN} 1 s to 1 h`],
  ['StartTimeout=61min', `${SPAN} 1 s to 1 h`],
  [
    'Probe=ftp://x',
    'http://… or https://… without a password, tcp:HOST:PORT, or exec:/PATH ARGUMENT…',
  ],
  ['LogMust=(', 'a regular expression of at most 500 characters'],
  ['LogMust=\\p{x}', 'a regular expression of at most 500 characters'],
  [`LogMustNot=${'x'.repeat(501)}`, 'a regular expression of at most 500 characters'],
  ['Rollback=maybe', 'yes or no'],
  ['WebhookEnabled=2', 'yes or no'],
  ['MinAge=366d', `${SPAN} 0 to 365 d`],
  ['Window=always', 'like 02:00-04:00, Mon..Fri 22:00-02:00 or Sat,Sun 00:00-24:00'],
  ['QuarantineFor=0', `${SPAN} 1 s to 365 d, or infinity`],
  ['QuarantineFor=366d', `${SPAN} 1 s to 365 d, or infinity`],
  ['KeepImages=0', 'a number, 1 to 20'],
  ['KeepImages=21', 'a number, 1 to 20'],
  ['KeepImages=1.5', 'a number, 1 to 20'],
];
describe('a fault', () => {
  for (const [line, allowed] of BAD)
    test(`${line.slice(0, 40)} says what is allowed`, () => {
      const key = line.slice(0, line.indexOf('='));
      assert.equal(faultOf(`[X-PodUp]\n${line}`), `In [X-PodUp]: ${key}= must be ${allowed}.`);
    });

  test('does not hide the others', () => {
    assert.equal(
      faultOf('[X-PodUp]\nFoo=1\nKeepImages=0\nnonsense\n', '[X-PodUp]\nMode=x\nmode=observe\n'),
      'In [X-PodUp]: Mode= must be observe, stage or deploy; KeepImages= must be a number, 1 to 20; ' +
        'Foo= is not known; a line assigns nothing; mode= is not known.',
    );
  });

  test('of an unknown key is one, also where nothing is assigned to it', () => {
    assert.equal(faultOf('[X-PodUp]\nconstructor=\n'), 'In [X-PodUp]: constructor= is not known.');
  });

  test('never shows a value', () => {
    const secret = 'hunter2';
    const keys = ['Mode', 'Soak', 'Probe', 'LogMust', 'Window', 'KeepImages', 'Other'];
    const lines = keys.map((key) => `${key}=https://user:${secret}@x/(`);
    assert.ok(!faultOf(`[X-PodUp]\n${lines.join('\n')}\n${secret}`).includes(secret));
  });

  test('is one of at most fifty that are named, and a long name is cut', () => {
    const lines = Array.from({ length: 53 }, (_, index) => `${'K'.repeat(100)}=1\nK${index}=1`);
    const detail = faultOf(`[X-PodUp]\n${lines.join('\n')}`);
    assert.match(detail, /K48= is not known; and 4 more\.$/);
    assert.ok(detail.includes(` ${'K'.repeat(60)}= `));
  });

  test('in one window of several is one fault', () => {
    const detail = faultOf('[X-PodUp]\nWindow=01:00-02:00\nWindow=x\nWindow=y\n');
    assert.equal(detail.match(/Window=/g)?.length, 1);
  });
});

describe('several assignments', () => {
  test('the last one wins, also over a faulty one', () => {
    assert.equal(parse('KeepImages=99', 'KeepImages=3', 'KeepImages=4').keepImages, 4);
  });

  test('a drop-in wins over the unit file', () => {
    const texts = ['[X-PodUp]\nSoak=1\nMode=observe\n', '[Unit]\n[X-PodUp]\nSoak=2\n'];
    const parsed = parseUnitPolicy(texts, DEFAULTS);
    assert.ok(parsed.ok);
    assert.deepEqual(parsed.value, { ...DEFAULTS, soakMs: 2_000, mode: 'observe' });
  });

  test('an empty one goes back to the default, for every key', () => {
    const lines = GOOD.flatMap(([line]) => [line, line.slice(0, line.indexOf('=') + 1)]);
    assert.deepEqual(parse(...lines), DEFAULTS);
  });

  test('windows are collected in place of the default ones, from the last empty one on', () => {
    const { windows } = parse(
      'Window=x',
      'Window=',
      'Window=02:00-04:00',
      'Window=Mon 01:00-02:00',
    );
    assert.deepEqual(windows, [EARLY, { weekdays: [1], startMinute: 60, endMinute: 120 }]);
  });
});

describe('the texts', () => {
  test('without the section give the defaults', () => {
    const texts = ['', '[Service]\nMode=x\nExecStart=/bin/a \\\n[X-PodUp]\n', '[X-Podup]\nFoo=1\n'];
    assert.deepEqual(parseUnitPolicy(texts, DEFAULTS), { ok: true, value: DEFAULTS });
  });

  test('may be 1 MiB long together, and no longer', () => {
    const half = '#'.repeat(524_288);
    assert.ok(parseUnitPolicy([half, half], DEFAULTS).ok);
    assert.match(faultOf(half, half, '#'), /larger than 1 MiB/);
  });

  test('of many lines are read in a moment', { timeout: 5_000 }, () => {
    assert.match(faultOf(`[X-PodUp]\n${'Window=x\n'.repeat(110_000)}`), /Window=/);
  });

  test('never make it throw, whatever they are', () => {
    const piece = fc.constantFrom(
      ...['[X-PodUp]\n', '\n', '\\', '=', '"', "'", '#', ' ', '\r\n', '..', ':', '-', '\\x'],
      ...[
        'Probe=',
        'exec:/',
        'tcp:',
        'http://',
        'Window=',
        'Mon',
        '01:00',
        'LogMust=',
        '(',
        'Soak=',
      ],
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const parsed = parseUnitPolicy([`[X-PodUp]\n${pieces.join('')}`], DEFAULTS);
        assert.ok(parsed.ok || parsed.failure.code === 'UNIT_POLICY_INVALID');
      }),
    );
  });
});

test('the settings give the defaults, and a quarantine of 0 lasts until it is released', () => {
  const settings = {
    deployMode: 'observe',
    deploySoakMs: 1,
    deployStartTimeoutMs: 2,
    deployRollback: false,
    deployMinAgeMs: 3,
    deployKeepImages: 4,
    higherTags: 'off',
    quarantineMs: 5,
  } as const;
  assert.deepEqual(policyDefaults(settings), {
    mode: 'observe',
    soakMs: 1,
    startTimeoutMs: 2,
    probe: null,
    logMust: null,
    logMustNot: null,
    rollback: false,
    minAgeMs: 3,
    windows: [],
    quarantineMs: 5,
    keepImages: 4,
    writeImage: false,
    webhookEnabled: null,
    higherTags: 'off',
  });
  assert.equal(policyDefaults({ ...settings, quarantineMs: 0 }).quarantineMs, null);
});
