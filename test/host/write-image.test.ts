import assert from 'node:assert/strict';
import { readFileSync, symlinkSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { command, HAS_QUADLET, pushImage, startUnit } from '../helpers/lab.ts';
import { inFull, systemctl, untilServed } from '../helpers/lab-units.ts';
import { deploy } from './host-fixture.ts';

const UNIT = 'web.service';
const PORT = 9301;
const POLICY = { soakMs: 200, writeImage: true } as const;

before(async () => {
  pushImage('web:1', 'v1');
  pushImage('web:2', 'v2');
  startUnit('web', 'web:1', PORT);
  await untilServed(PORT, 'v1');
});

const choose = (version: string) => deploy(UNIT, { version, isManual: true, policy: POLICY });

describe('a tag that a person chose, written into the file of the unit', {
  skip: !HAS_QUADLET,
}, () => {
  const file = join(homedir(), '.config/containers/systemd/web.container');

  test('is what the unit is from then on, and the former text is kept', async () => {
    const former = readFileSync(file, 'utf8');
    const { end } = await choose(':2');
    assert.equal(end.status, 'succeeded', JSON.stringify(end));
    assert.match(end.summary, /web\.container says 127\.0\.0\.1:5000\/web:2 now/);
    assert.equal(readFileSync(file, 'utf8'), former.replace('/web:1', '/web:2'));
    assert.equal(readFileSync(`${file}.podup-former`, 'utf8'), former);
    systemctl('restart', UNIT);
    await untilServed(PORT, 'v2');
    const name = command('podman', 'container', 'inspect', '--format', '{{.ImageName}}', 'web');
    assert.equal(name.trim(), inFull('web:2'));
    // From here on a push of the new tag counts.
    pushImage('web:2', 'v3');
    assert.equal((await deploy(UNIT, { policy: POLICY })).end.status, 'succeeded');
    await untilServed(PORT, 'v3');
  });

  test('is not written where it is bad, nor where nobody chose one, nor through a held name', async () => {
    const text = readFileSync(file, 'utf8');
    pushImage('web:bad', 'v9', '--broken');
    assert.equal((await choose(':bad')).end.status, 'failed');
    await untilServed(PORT, 'v3');
    pushImage('web:2', 'v4');
    assert.equal((await deploy(UNIT, { policy: POLICY })).end.status, 'succeeded');
    assert.equal(readFileSync(file, 'utf8'), text);
  });

  test('is written behind a link, which stays one', async () => {
    command('mv', file, join(homedir(), 'web.real'));
    symlinkSync(join(homedir(), 'web.real'), file);
    systemctl('daemon-reload');
    assert.equal((await choose(':1')).end.status, 'succeeded');
    assert.match(readFileSync(join(homedir(), 'web.real'), 'utf8'), /^Image=.*\/web:1$/m);
    assert.equal(command('readlink', file).trim(), join(homedir(), 'web.real'));
  });
});

describe('a unit that has no Quadlet file', { skip: HAS_QUADLET }, () => {
  test('runs the version, and its task says that no file was written', async () => {
    const { end } = await choose(':2');
    assert.equal(end.status, 'succeeded', JSON.stringify(end));
    assert.match(end.summary, /Its file does not say .*\/web:2: .*no \.container file/);
    await untilServed(PORT, 'v2');
  });
});
