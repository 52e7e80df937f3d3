import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EXIT } from '../../../shared/contract/exit-codes.ts';
import { openTestStore } from '../../helpers/store.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';
import { startProgram } from './program.ts';

const FOUND = {
  ...{ path: '/q/auto.container', image: 'ghcr.io/octo-org/hello:stable', fault: null },
  ...{ isAutoUpdated: true, hasPolicy: false, webhookEnabled: null },
};

test('units list and show tell what is known, where from, and who may deploy it', async (t) => {
  const stateDir = makeTempFolder(t);
  const { store, path } = openTestStore(t, stateDir);
  const silent = { ...FOUND, unit: 'silent.service', isAutoUpdated: false, fault: 'It is odd.' };
  const found = [{ ...FOUND, unit: 'auto.service' }, silent];
  store.discovered.record('user localhost', 'quadlet', found, 1_700_000_000_000);
  const failure = { code: 'PODMAN_UNAVAILABLE', detail: 'no podman' } as const;
  store.discovered.fail('user localhost', 'podman', failure, 1_700_000_000_000);
  const environment = {
    ...{ PODUP_STATE_DIR: stateDir, PODUP_DB_URL: path, PODUP_MANUAL_UNITS: 'web' },
  };
  const run = (...words: string[]) => startProgram(t, ['units', ...words], environment).ended;

  const listed = await run('list');
  assert.deepEqual([listed.code, listed.stderr], [EXIT.ok, '']);
  const lines = listed.stdout.split('\n');
  assert.match(lines[1] ?? '', /^web\.service +listed +nowhere +person,batch,webhook,schedule /);
  assert.match(lines[2] ?? '', /^auto\.service +found +quadlet +person,batch +unknown +ghcr\.io/);
  assert.match(lines[3] ?? '', /^silent\.service +found +quadlet +person +unknown +ghcr\.io/);
  assert.match(lines[4] ?? '', /^podman cannot be looked into since 2023-11-14 22:13:20Z: PODMAN_/);

  const json = JSON.parse((await run('list', '--json')).stdout);
  assert.deepEqual(
    json.services.map((one: { unit: string; source: string }) => [one.unit, one.source]),
    [
      ['web.service', 'manual'],
      ['auto.service', 'discovered'],
      ['silent.service', 'discovered'],
    ],
  );
  assert.deepEqual(json.discovered, {
    count: 2,
    units: ['auto.service', 'silent.service'],
    detail: [
      { unit: 'auto.service', source: 'quadlet' },
      { unit: 'silent.service', source: 'quadlet' },
    ],
  });

  const shown = await run('show', 'silent');
  assert.equal(shown.code, EXIT.ok);
  assert.match(shown.stdout, /^silent\.service, found on the host$/m);
  assert.match(shown.stdout, /^ {2}quadlet {4}\/q\/auto\.container, since 2023-11-14 22:13:20Z$/m);
  assert.match(shown.stdout, /^ +It is odd\.$/m);
  assert.match(shown.stdout, /^ {2}webhook {4}may not: The unit was found/m);
  assert.equal(JSON.parse((await run('show', 'auto', '--json')).stdout).unit, 'auto.service');

  const unknown = await run('show', 'dbus');
  assert.deepEqual([unknown.code, unknown.stdout], [EXIT.failure, '']);
  assert.match(unknown.stderr, /^UNIT_NOT_CONFIGURED: .* dbus\./);
});
