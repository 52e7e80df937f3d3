import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { policyDefaults } from '../../../app/domain/unit-policy.ts';
import { openLocalHost } from '../../../app/host/open-host.ts';
import { readUnitPolicy } from '../../../app/host/read-unit-policy.ts';
import type { CommandResult } from '../../../shared/process/run-command.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';
import { answerCommands } from '../tasks/task-fixture.ts';

const DEFAULTS = policyDefaults({
  deployMode: 'deploy',
  deploySoakMs: 10_000,
  deployStartTimeoutMs: 120_000,
  deployRollback: true,
  deployMinAgeMs: 0,
  deployKeepImages: 2,
  quarantineMs: 0,
  higherTags: 'off',
});

/** Reads the policy of web.service where systemctl answers so. */
async function readFrom(answer: Partial<CommandResult>) {
  const { run, asked } = answerCommands(() => answer);
  const outcome = await readUnitPolicy(
    { ...openLocalHost('user', {}), run },
    'web.service',
    DEFAULTS,
  );
  return { outcome, asked };
}

/** As `systemctl show` prints them: a path alone as it is, a list quoted like shell_maybe_quote() of systemd. */
function print(fragment: string, ...dropIns: readonly string[]): Partial<CommandResult> {
  const quoted = dropIns.map((path) =>
    /[\s"\\`$*?['()<>|&;!]/.test(path) ? `"${path.replaceAll(/["\\`$]/g, '\\$&')}"` : path,
  );
  return { stdout: `FragmentPath=${fragment}\nDropInPaths=${quoted.join(' ')}\n` };
}

async function policyFrom(answer: Partial<CommandResult>) {
  const { outcome } = await readFrom(answer);
  assert.ok(outcome.ok, JSON.stringify(outcome));
  return outcome.value;
}

async function failureFrom(answer: Partial<CommandResult>) {
  const { outcome } = await readFrom(answer);
  assert.ok(!outcome.ok, 'it did not fail');
  return outcome.failure;
}

test('asks systemctl once, with the unit behind the end of the options', async () => {
  const { asked } = await readFrom(print(''));
  assert.deepEqual(
    asked.map(({ argv }) => argv),
    [
      [
        ...['systemctl', '--user', 'show', '--property=FragmentPath', '--property=DropInPaths'],
        ...['--', 'web.service'],
      ],
    ],
  );
});

test('systemd is not asked for files that it has just named, and they are read in the same order', async (t) => {
  const folder = makeTempFolder(t);
  const [fragmentPath, dropIn] = [join(folder, 'unit'), join(folder, '10.conf')];
  writeFileSync(fragmentPath, '[X-PodUp]\nSoak=1\nKeepImages=3\n');
  writeFileSync(dropIn, '[X-PodUp]\nSoak=2\n');
  const { run, asked } = answerCommands(() => ({}));
  const local = openLocalHost('user', {});
  const paths: string[] = [];
  const readText: typeof local.readText = (path, maxBytes) => {
    paths.push(path);
    return local.readText(path, maxBytes);
  };
  const host = { readText, run };
  for (const [files, soakMs, keepImages] of [
    [{ fragmentPath, dropInPaths: [dropIn] }, 2_000, 3],
    [{ fragmentPath: '', dropInPaths: [dropIn] }, 2_000, DEFAULTS.keepImages],
    [{ fragmentPath, dropInPaths: [] }, 1_000, 3],
  ] as const) {
    const read = await readUnitPolicy(host, 'web.service', DEFAULTS, files);
    assert.deepEqual(read, { ok: true, value: { ...DEFAULTS, soakMs, keepImages } });
  }
  assert.equal(asked.length, 0);
  assert.deepEqual(paths, [fragmentPath, dropIn, dropIn, fragmentPath]);
});

test('a unit without files has the defaults', async () => {
  assert.deepEqual(await policyFrom(print('')), DEFAULTS);
  assert.deepEqual(await policyFrom({ stdout: '' }), DEFAULTS);
});

test('the drop-ins come after the unit file, in the order in which they are printed', async (t) => {
  const folder = join(makeTempFolder(t), 'a "b" $c\\x2dd.service.d');
  mkdirSync(folder);
  const files = [
    ['unit', 'Soak=1\nKeepImages=3\nMode=observe'],
    ['20.conf', 'Soak=2\nKeepImages=4'],
    ['10.conf', 'Soak=3'],
  ] as const;
  for (const [name, lines] of files) writeFileSync(join(folder, name), `[X-PodUp]\n${lines}\n`);
  const [unit = '', ...dropIns] = files.map(([name]) => join(folder, name));
  assert.deepEqual(await policyFrom(print(unit, ...dropIns)), {
    ...DEFAULTS,
    mode: 'observe',
    keepImages: 4,
    soakMs: 3_000,
  });
});

test('paths with \\xNN, as older versions of systemd print them, are understood', async (t) => {
  const path = join(makeTempFolder(t), '10.conf');
  writeFileSync(path, '[X-PodUp]\nKeepImages=7\n');
  const escaped = [...Buffer.from(path)]
    .map((byte) =>
      byte > 32 && byte < 127 ? String.fromCharCode(byte) : `\\x${byte.toString(16)}`,
    )
    .join('');
  const { keepImages } = await policyFrom({ stdout: `FragmentPath=\nDropInPaths=${escaped}\n` });
  assert.equal(keepImages, 7);
});

test('what is missing or no regular file is passed over', { timeout: 5_000 }, async (t) => {
  const folder = makeTempFolder(t);
  const [pipe, last] = [join(folder, 'pipe'), join(folder, '90.conf')];
  execFileSync('mkfifo', [pipe]);
  writeFileSync(last, '[X-PodUp]\nKeepImages=7\n');
  const policy = await policyFrom(
    print('/dev/null', join(folder, 'none'), join(last, 'none'), folder, pipe, last),
  );
  assert.equal(policy.keepImages, 7);
});

test('a faulty file is UNIT_POLICY_INVALID', async (t) => {
  const path = join(makeTempFolder(t), 'web.service');
  writeFileSync(path, '[X-PodUp]\nMood=good\n');
  assert.deepEqual(await failureFrom(print(path)), {
    code: 'UNIT_POLICY_INVALID',
    detail: 'In [X-PodUp]: Mood= is not known.',
  });
});

test('a file of 1 MiB is read, and a larger one refused by its name', async (t) => {
  const path = join(makeTempFolder(t), 'web.service');
  const line = '[X-PodUp]\nKeepImages=7\n';
  writeFileSync(path, line + '#'.repeat(1_048_576 - line.length));
  assert.equal((await policyFrom(print(path))).keepImages, 7);
  writeFileSync(path, '#'.repeat(1_048_577));
  assert.deepEqual(await failureFrom(print(path)), {
    code: 'UNIT_POLICY_INVALID',
    detail: `${path} is larger than 1 MiB.`,
  });
});

test('a file that cannot be read is a fault, for it may hold a deployment back', async () => {
  const path = `/${'x'.repeat(300)}`;
  assert.deepEqual(await failureFrom(print(path)), {
    code: 'UNIT_POLICY_INVALID',
    detail: `${path} cannot be read (ENAMETOOLONG).`,
  });
});

test('64 files are read, and more refused', async (t) => {
  const path = join(makeTempFolder(t), '10.conf');
  writeFileSync(path, '[X-PodUp]\nKeepImages=7\n');
  const all = Array.from({ length: 64 }, () => path);
  assert.equal((await policyFrom(print('', ...all))).keepImages, 7);
  const { code, detail } = await failureFrom(print(path, ...all));
  assert.deepEqual(
    [code, detail],
    ['UNIT_POLICY_INVALID', 'web.service has 65 files, more than 64.'],
  );
});

const UNUSABLE: readonly (readonly [title: string, answer: Partial<CommandResult>])[] = [
  ['fails', { end: { kind: 'exited', code: 1 }, stderr: 'Failed to connect to bus\n' }],
  ['takes too long', { end: { kind: 'timed-out' }, ...print('') }],
  ['prints more than is kept', { ...print(''), stdoutDropped: 1 }],
  ['prints an open quote', { stdout: 'FragmentPath=\nDropInPaths="/a\n' }],
  ['prints a path that it calls unprintable', print('[unprintable]')],
  ['prints a drop-in without its folder', print('', '10.conf')],
];
for (const [title, answer] of UNUSABLE)
  test(`a systemctl that ${title} is USER_MANAGER_UNAVAILABLE`, async () => {
    assert.equal((await failureFrom(answer)).code, 'USER_MANAGER_UNAVAILABLE');
  });
