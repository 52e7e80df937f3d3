import assert from 'node:assert/strict';
import { appendFileSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import type { StagingParts } from '../../../../app/updates/release/stage-release.ts';
import { parsePublicKeys } from '../../../../shared/config/setting-values.ts';
import { makeSigner } from '../../../helpers/release.ts';
import { until } from '../../../helpers/until.ts';
import { failureOf, githubSettings, settingsFor } from './release-fixture.ts';
import { identityOf, makeHost, SCHEMA, type ShellOptions, shellRelease } from './stage-fixture.ts';

describe('staging', () => {
  test('ends with the verified program beside the one that runs, and nothing else', async (t) => {
    const { target, stage, steps, release, names } = await makeHost(t);
    const built = release({ version: '1.1.0' });
    const staged = await stage();
    assert.deepEqual(staged, { ok: true, value: { kind: 'staged', release: identityOf(built) } });
    assert.deepEqual(names(), ['program', 'program.new']);
    assert.equal(statSync(`${target}.new`).mode & 0o777, 0o755);
    assert.ok(readFileSync(`${target}.new`).equals(readFileSync(built.file)));
    assert.equal(readFileSync(target, 'utf8'), 'what runs');
    assert.deepEqual(steps, ['choosing', 'downloading', 'verifying', 'self-check']);
  });

  test('again finds it there, and only checks it once more', async (t) => {
    const { stage, release, server, steps } = await makeHost(t);
    release({ version: '1.1.0' });
    await stage();
    server.received.splice(0);
    steps.splice(0);
    assert.equal((await stage()).ok, true);
    assert.deepEqual(steps, ['choosing', 'self-check']);
    assert.ok(server.received.every(({ path }) => !path.endsWith('gnu')));
  });

  test('replaces another release that lies there', async (t) => {
    const { stage, release, names, target } = await makeHost(t);
    release({ version: '1.1.0' });
    await stage();
    const built = release({ version: '1.2.0' });
    assert.equal((await stage()).ok, true);
    assert.deepEqual(names(), ['program', 'program.new']);
    assert.ok(readFileSync(`${target}.new`).equals(readFileSync(built.file)));
  });

  test('where nothing is to be done removes what was left beside the program', async (t) => {
    const { stage, release, names, target } = await makeHost(t);
    const built = release({ version: '1.0.0' });
    for (const name of [
      '.new',
      '.partial',
      '.partial.json',
      '.partial.json.1.ab.tmp',
      '.dry-run.new',
    ]) {
      writeFileSync(`${target}${name}`, 'left');
    }
    writeFileSync(`${target}.old`, 'the one before');
    const current = {
      version: '1.0.0',
      digest: built.digest,
      generation: 0,
      tag: null,
      commit: 'x',
    };
    assert.deepEqual(await stage({ current }), {
      ok: true,
      value: { kind: 'current', release: { ...current, tag: 'v1.0.0' } },
    });
    assert.deepEqual(names(), ['program', 'program.old']);
  });

  test('passes over what failed here, and says so', async (t) => {
    const { stage, release, skipped } = await makeHost(t);
    release({ version: '1.1.0' });
    const bad = release({ version: '1.2.0' });
    const staged = await stage({ quarantine: [bad.digest] });
    assert.equal(staged.ok && staged.value.release.version, '1.1.0');
    assert.deepEqual(skipped, ['v1.2.0']);
  });

  test('from a folder without manifests takes what the program says of itself', async (t) => {
    const { stage, release, server } = await makeHost(t);
    const built = release({ version: '1.1.0' }, { without: ['.manifest.json'] });
    const settings = settingsFor({ releaseBaseUrl: server.folder });
    const staged = await stage({}, { settings });
    const { generation: _unknown, ...known } = identityOf(built);
    assert.deepEqual(staged.ok && staged.value.release, { ...known, generation: null });
  });

  test('with keys fetches no byte of a program that nobody known has signed', async (t) => {
    const { stage, release, server, names } = await makeHost(t);
    const [publisher, stranger] = [makeSigner('publisher'), makeSigner('stranger')];
    const releasePublicKeys = parsePublicKeys(publisher.setting) ?? [];
    const settings = githubSettings(server, { releasePublicKeys });
    release({ version: '1.1.0' }, { sign: stranger });
    assert.equal(failureOf(await stage({}, { settings })).code, 'RELEASE_UNSIGNED');
    assert.ok(server.received.every(({ path }) => !path.endsWith('gnu')));
    assert.deepEqual(names(), ['program']);
    release({ version: '1.1.0' }, { sign: publisher });
    assert.equal((await stage({}, { settings })).ok, true);
  });

  test('takes nothing whose bytes are others than those that were signed', async (t) => {
    const { stage, release, server, names } = await makeHost(t);
    const publisher = makeSigner();
    const releasePublicKeys = parsePublicKeys(publisher.setting) ?? [];
    const built = release({ version: '1.1.0' }, { sign: publisher });
    appendFileSync(
      join(server.folder, 'v1.1.0', 'pod-upgrade-trigger-x86_64-unknown-linux-gnu'),
      '#',
    );
    const settings = githubSettings(server, { releasePublicKeys });
    const { code, detail } = failureOf(await stage({}, { settings }));
    assert.equal(code, 'RELEASE_TOO_LARGE');
    assert.match(detail, new RegExp(`at most ${built.bytes} are taken`));
    server.behave();
    server.misbehave({ kind: 'wrong-digest' });
    release({ version: '1.1.0' }, { sign: publisher });
    assert.equal(failureOf(await stage({}, { settings })).code, 'RELEASE_MISMATCH');
    assert.deepEqual(names(), ['program']);
  });
});

describe('a program that does not fit', () => {
  for (const [title, check, said] of [
    ['fails its self-check', 'echo no luck >&2; exit 1', /exited with 1: no luck/],
    ['says nothing', 'exit 0', /gave no answer/],
    ['hangs', 'sleep 60', /did not end within its limit/],
  ] as const) {
    test(`because it ${title} does not stay`, async (t) => {
      const { stage, release, names } = await makeHost(t);
      release({ version: '1.1.0', check });
      const timeoutMs = title === 'hangs' ? 500 : 15_000;
      const selfCheck = { environment: { PATH: process.env['PATH'] }, timeoutMs };
      const { code, detail } = failureOf(await stage({}, { selfCheck }));
      assert.equal(code, 'RELEASE_SELF_CHECK_FAILED');
      assert.match(detail, said);
      assert.deepEqual(names(), ['program']);
    });
  }

  test('because its database is older is not fetched, by its manifest', async (t) => {
    const { stage, release, server, names } = await makeHost(t);
    release({ version: '1.1.0', schema: SCHEMA - 1 });
    const { code, detail } = failureOf(await stage());
    assert.equal(code, 'RELEASE_INCOMPATIBLE');
    assert.match(detail, /v1\.1\.0 knows databases up to schema 2; 3 is in use here/);
    assert.ok(server.received.every(({ path }) => !path.endsWith('gnu')));
    assert.deepEqual(names(), ['program']);
    assert.equal((await stage({ force: true })).ok, true);
  });

  test('because its database is older does not stay, by what it says itself', async (t) => {
    const { stage, release, names } = await makeHost(t);
    release({ version: '1.1.0', schema: SCHEMA - 1 }, { without: ['.manifest.json'] });
    const { code } = failureOf(await stage());
    assert.equal(code, 'RELEASE_SELF_CHECK_FAILED');
    assert.deepEqual(names(), ['program']);
  });

  test('because it cannot take this database over is not fetched, not even by force', async (t) => {
    const { stage, release } = await makeHost(t);
    release({ version: '1.1.0' }, { manifest: { schema: { min: SCHEMA + 1, max: SCHEMA + 2 } } });
    const { code, detail } = failureOf(await stage({ force: true }));
    assert.equal(code, 'RELEASE_INCOMPATIBLE');
    assert.match(detail, /takes over databases from schema 4 on; 3 is in use here/);
  });

  test('because no program is built for this host is not looked for', async (t) => {
    const { stage, server } = await makeHost(t);
    const platform = 'aarch64-unknown-linux-gnu';
    assert.equal(failureOf(await stage({}, { platform })).code, 'RELEASE_INCOMPATIBLE');
    assert.equal(server.received.length, 0);
  });
});

describe('a dry run', () => {
  test('does the same and changes nothing', async (t) => {
    const { stage, release, names, steps, target } = await makeHost(t);
    release({ version: '1.1.0' });
    for (const name of ['.new', '.partial', '.partial.json'])
      writeFileSync(`${target}${name}`, 'left');
    const before = names();
    const times = () => names().map((name) => statSync(join(target, '..', name)).mtimeMs);
    const timesBefore = times();
    const staged = await stage({ dryRun: true });
    assert.equal(staged.ok && staged.value.kind, 'staged');
    assert.deepEqual(steps, ['choosing', 'downloading', 'verifying', 'self-check']);
    assert.deepEqual(names(), before);
    assert.deepEqual(times(), timesBefore);
  });

  for (const [title, how] of [
    ['is cut off', { kind: 'cut', afterBytes: 100_000 }],
    ['brings another program', { kind: 'wrong-digest' }],
  ] as const) {
    test(`whose download ${title} changes nothing`, async (t) => {
      const { stage, release, names, server } = await makeHost(t);
      release({ version: '1.1.0' });
      server.misbehave(how);
      assert.equal((await stage({ dryRun: true })).ok, false);
      assert.deepEqual(names(), ['program']);
    });
  }

  test('of a program that fails its self-check changes nothing', async (t) => {
    const { stage, release, names } = await makeHost(t);
    release({ version: '1.1.0', check: 'exit 1' });
    assert.equal(failureOf(await stage({ dryRun: true })).code, 'RELEASE_SELF_CHECK_FAILED');
    assert.deepEqual(names(), ['program']);
  });

  test('where nothing is to be done changes nothing', async (t) => {
    const { stage, release, names, target } = await makeHost(t);
    const { digest } = release({ version: '1.0.0' });
    writeFileSync(`${target}.partial`, 'left');
    const current = { version: '1.0.0', digest, generation: 0, tag: null, commit: 'x' };
    const staged = await stage({ dryRun: true, current });
    assert.equal(staged.ok && staged.value.kind, 'current');
    assert.deepEqual(names(), ['program', 'program.partial']);
  });

  test('of one that was killed is cleaned up by the next run', async (t) => {
    const { stage, release, names, target } = await makeHost(t);
    release({ version: '1.1.0' });
    for (const name of ['.new', '.partial', '.partial.json']) {
      writeFileSync(`${target}.dry-run${name}`, 'left');
    }
    assert.equal((await stage()).ok, true);
    assert.deepEqual(names(), ['program', 'program.new']);
  });
});

describe('a kept program', () => {
  async function keep(t: TestContext, options: Partial<ShellOptions> = {}) {
    const host = await makeHost(t);
    const built = shellRelease(host.server.folder, { version: '0.9.0', schema: 1, ...options });
    return { ...host, built, retained: { file: built.file, release: identityOf(built) } };
  }

  test('is put back from its copy; an older version with an older database is what is wanted', async (t) => {
    const { stage, built, retained, names, target, server, steps } = await keep(t);
    const staged = await stage({ retained });
    assert.deepEqual(staged, { ok: true, value: { kind: 'staged', release: retained.release } });
    assert.deepEqual(names(), ['program', 'program.new']);
    assert.ok(readFileSync(`${target}.new`).equals(readFileSync(built.file)));
    assert.notEqual(statSync(`${target}.new`).ino, statSync(built.file).ino);
    assert.equal(statSync(`${target}.new`).mode & 0o777, 0o755);
    assert.equal(server.received.length, 0);
    assert.deepEqual(steps, ['verifying', 'self-check']);
  });

  test('that is no longer what was kept is refused', async (t) => {
    const { stage, retained, names } = await keep(t);
    appendFileSync(retained.file, '#');
    const { code, detail } = failureOf(await stage({ retained }));
    assert.equal(code, 'RELEASE_MISMATCH');
    assert.match(detail, /is no longer the program that was kept/);
    assert.deepEqual(names(), ['program']);
  });

  test('that fails its self-check does not stay', async (t) => {
    const { stage, retained, names } = await keep(t, { check: 'exit 1' });
    assert.equal(failureOf(await stage({ retained })).code, 'RELEASE_SELF_CHECK_FAILED');
    assert.deepEqual(names(), ['program']);
  });

  test('that is not there is unknown', async (t) => {
    const { stage, retained } = await keep(t);
    for (const file of [`${retained.file}.none`, '']) {
      const { code } = failureOf(await stage({ retained: { ...retained, file } }));
      assert.equal(code, 'UPDATE_VERSION_UNKNOWN');
    }
  });

  test('that runs already is current', async (t) => {
    const { stage, retained, names } = await keep(t);
    const staged = await stage({ retained, current: retained.release });
    assert.deepEqual(staged, { ok: true, value: { kind: 'current', release: retained.release } });
    assert.deepEqual(names(), ['program']);
  });

  test('can be tried dry', async (t) => {
    const { stage, retained, names } = await keep(t);
    assert.equal((await stage({ retained, dryRun: true })).ok, true);
    assert.deepEqual(names(), ['program']);
  });
});

describe('a stop', () => {
  test('during the download leaves what has come', async (t) => {
    const { stage, release, names, target, server } = await makeHost(t);
    release({ version: '1.1.0' });
    server.misbehave({ kind: 'stall', afterBytes: 100_000 }, { times: 1 });
    const stopping = new AbortController();
    const onProgress: StagingParts['onProgress'] = (_step, bytes) => {
      if (bytes === 100_000) stopping.abort();
    };
    const stopped = await stage({}, { signal: stopping.signal, onProgress });
    assert.equal(failureOf(stopped).code, 'UPDATE_CANCELLED');
    assert.deepEqual(names(), ['program', 'program.partial', 'program.partial.json']);
    assert.equal(statSync(`${target}.partial`).size, 100_000);
    assert.equal((await stage()).ok, true);
    assert.deepEqual(names(), ['program', 'program.new']);
  });

  test('during the self-check leaves the verified program, and the next order goes on with it', async (t) => {
    const { stage, release, names, steps } = await makeHost(t);
    const mark = join((await makeHost(t)).server.folder, 'checked once');
    release({ version: '1.1.0', check: `[ -e '${mark}' ] || { touch '${mark}'; sleep 60; }` });
    const stopping = new AbortController();
    const onProgress: StagingParts['onProgress'] = (step) => {
      if (step !== 'self-check') return;
      void until('the check runs', 5_000, () => existsSync(mark)).then(() => stopping.abort());
    };
    const stopped = await stage({}, { signal: stopping.signal, onProgress });
    assert.equal(failureOf(stopped).code, 'UPDATE_CANCELLED');
    assert.deepEqual(names(), ['program', 'program.new']);
    assert.ok(existsSync(mark));
    assert.equal((await stage()).ok, true);
    assert.deepEqual(steps, ['choosing', 'self-check']);
  });
});
