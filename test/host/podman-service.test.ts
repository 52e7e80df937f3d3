import assert from 'node:assert/strict';
import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { env, getuid } from 'node:process';
import { describe, test } from 'node:test';
import { withDigest, withTag } from '../../app/domain/image-reference.ts';
import { findKeptId, findKeptImage, keepsList, listKeptNames } from '../../app/host/image-store.ts';
import { openLocalHost } from '../../app/host/open-host.ts';
import { seeUnitContainers } from '../../app/host/podman.ts';
import {
  dropImageName,
  findImageId,
  hasImage,
  inspectImage,
  listImageNames,
  tagImage,
} from '../../app/host/podman-images.ts';
import type { CommandResult, RunCommand } from '../../shared/process/run-command.ts';
import { command, pushImage, startUnit } from '../helpers/lab.ts';
import { until } from '../helpers/until.ts';
import { deploy } from './host-fixture.ts';

const scope = getuid?.() === 0 ? 'system' : 'user';
const folder = scope === 'system' ? '/run' : (env['XDG_RUNTIME_DIR'] ?? '');

/** This host by the service of podman, and what was answered or run. */
function openServed(context: { after(act: () => unknown): void }) {
  const host = openLocalHost(scope, env, { sockets: 'all' });
  context.after(() => host.close());
  const results: CommandResult[] = [];
  const run: RunCommand = async (wanted) => {
    const result = await host.run(wanted);
    results.push(result);
    return result;
  };
  const commands = () =>
    results.filter(({ argv, end }) => argv[0] === 'podman' && end.kind !== 'answered');
  return { host, run, results, commands };
}

const plain = openLocalHost(scope, env).run;

function findService(): { readonly socket: string; readonly unit: string } | undefined {
  const name = readdirSync(folder).find((entry) => /^podup-podman-.*\.sock$/.test(entry));
  return name === undefined
    ? undefined
    : { socket: join(folder, name), unit: name.replace(/sock$/, 'service') };
}

describe('the service of podman', () => {
  const push = pushImage('web:stable', 'v1');
  startUnit('web', 'web:stable', 8101);
  const image = { registry: '127.0.0.1:5000', repository: 'web', tag: 'stable' };
  const name = withTag(image);

  test('answers as the commands do, without one', async (t) => {
    const { run, commands } = openServed(t);
    for (const ask of [
      (by: RunCommand) => seeUnitContainers(by, 'web.service'),
      (by: RunCommand) => seeUnitContainers(by, 'nobody.service'),
      (by: RunCommand) => inspectImage(by, name),
      (by: RunCommand) => inspectImage(by, withDigest(image, push.digest)),
      (by: RunCommand) => inspectImage(by, `${name}-none`),
      (by: RunCommand) => findImageId(by, withDigest(image, `sha256:${'00'.repeat(32)}`)),
      (by: RunCommand) => hasImage(by, name),
      (by: RunCommand) => hasImage(by, `${name}-none`),
      (by: RunCommand) => hasImage(by, withDigest(image, push.digest)),
      (by: RunCommand) => hasImage(by, withDigest(image, `sha256:${'00'.repeat(32)}`)),
    ]) {
      const [served, printed] = [await ask(run), await ask(plain)];
      assert.ok(printed.ok, JSON.stringify(printed));
      assert.deepEqual(served, printed);
    }
    // Of podman 4 the list does not find it by its digest.
    const [known, id] = [
      await inspectImage(plain, name),
      await findImageId(run, withDigest(image, push.digest)),
    ];
    assert.ok(known.ok && id.ok && id.value !== undefined);
    assert.equal(id.value, known.value?.id);
    const held = 'localhost/podup/rollback:web.service-7';
    assert.ok((await tagImage(run, name, held)).ok);
    const listed = await listImageNames(run, 'localhost/podup/rollback:web.service-*');
    assert.ok(listed.ok && listed.value.some(({ names }) => names.includes(held)));
    assert.ok((await dropImageName(run, held)).ok);
    assert.deepEqual(await hasImage(plain, held), { ok: true, value: false });
    const none = await tagImage(run, `${name}-none`, held);
    assert.equal(none.ok || none.failure.code, 'TAG_FAILED');
    assert.deepEqual(commands(), []);
  });

  test('says what stands in the files of podman, too', async (t) => {
    const { host, run } = openServed(t);
    const info = await host.readInfo(run);
    assert.ok(info.ok && keepsList(info.value.driver), JSON.stringify(info));
    const images = { host, graphRoot: info.value.graphRoot };
    const [kept, told] = [await findKeptImage(images, image), await inspectImage(run, name)];
    assert.ok(kept && told.ok && told.value);
    assert.deepEqual([kept.id, kept.digest], [told.value.id, told.value.digest]);
    for (const one of told.value.repoDigests) assert.ok(kept.repoDigests.includes(one), one);
    // podman counts the few files that describe it, too.
    const ratio = kept.sizeBytes / told.value.sizeBytes;
    assert.ok(ratio > 0.9 && ratio <= 1, String(ratio));
    assert.equal(await findKeptId(images, image, push.digest), kept.id);
    const names = await listKeptNames(images, [kept.id]);
    assert.ok(names?.find(({ id }) => id === kept.id)?.names.includes(name));
  });

  test('is open to this user alone, and a unit of its own', () => {
    const { socket, unit } = findService() ?? assert.fail('there is none');
    assert.equal(lstatSync(socket).mode & 0o777, 0o600);
    assert.equal(lstatSync(socket).uid, getuid?.());
    const shown = command('systemctl', `--${scope}`, 'show', '--property=RuntimeMaxUSec', unit);
    assert.equal(shown.trim(), 'RuntimeMaxUSec=1h');
  });

  test('carries a deployment, and no command of podman is run but for what it is', async (t) => {
    const { host, run, results, commands } = openServed(t);
    pushImage('web:stable', 'v2');
    const done = await deploy('web.service', { host, run, policy: { soakMs: 0 } });
    assert.equal(done.end.status, 'succeeded', JSON.stringify(done.end));
    const asked = commands().map(({ argv }) => argv.slice(1, 3).join(' '));
    assert.deepEqual(asked, ['info --format']);
    // Each answer costs podman a look through all that it stores.
    const count = (...words: string[]) =>
      results.filter(({ argv }) => words.every((word, at) => argv[at + 1] === word)).length;
    const counts = [count('ps'), count('image', 'inspect'), count('image', 'ls')];
    assert.deepEqual(counts, [2, 0, 0]);
    const pulls = results.filter(({ argv }) => argv[1] === 'pull');
    assert.deepEqual(
      pulls.map(({ end }) => end.kind),
      ['answered'],
    );
  });

  test('that is killed costs nothing: the next one is started, or a command does it', async (t) => {
    const { run, results } = openServed(t);
    assert.ok((await inspectImage(run, name)).ok);
    const { unit } = findService() ?? assert.fail('there is none');
    command('systemctl', `--${scope}`, 'kill', '--signal=KILL', unit);
    for (let times = 0; times < 3; times++) assert.ok((await inspectImage(run, name)).ok);
    assert.equal(results.at(-1)?.end.kind, 'answered');
  });

  test('ends by itself', async () => {
    const { unit } = findService() ?? assert.fail('there is none');
    const state = () =>
      command('systemctl', `--${scope}`, 'show', '--property=ActiveState', '--value', unit).trim();
    await until('the service ends', 30_000, () => state() === 'inactive');
  });
});
