import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { keepForStandby, readForStandby } from '../../../app/units/keep-for-standby.ts';
import { listedUnits } from '../../helpers/listed-units.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

const HOST = 'user localhost';
const MARKS = { isAutoUpdated: true, hasPolicy: false, webhookEnabled: null };
const NOTHING = { marks: new Map(), images: new Map() };

test('what units say is kept for who has no database, and written when it is something else', (t) => {
  const path = join(makeTempFolder(t), 'found.json');
  assert.deepEqual(readForStandby(path, HOST), NOTHING);
  const known = listedUnits(['listed.service'], { 'auto.service': { isAutoUpdated: true } });
  keepForStandby(path, HOST, known);
  assert.deepEqual(readForStandby(path, HOST).marks, new Map([['auto.service', MARKS]]));
  assert.deepEqual(readForStandby(path, 'user elsewhere'), NOTHING);
  const { ino } = statSync(path);
  keepForStandby(path, HOST, known);
  assert.equal(statSync(path).ino, ino);
  keepForStandby(path, HOST, listedUnits([]));
  assert.deepEqual(readForStandby(path, HOST), NOTHING);
  for (const text of ['', '{', '[]', '{"v":2}', readFileSync(path, 'utf8').slice(0, -5)]) {
    writeFileSync(path, text);
    assert.deepEqual(readForStandby(path, HOST), NOTHING, text);
  }
});

test('the images that files name are kept with them; what an earlier version wrote has none', (t) => {
  const path = join(makeTempFolder(t), 'found.json');
  const unit = { unit: 'web.service', isListed: true, image: 'ghcr.io/o/web:main', marks: null };
  keepForStandby(path, HOST, { all: () => [unit] });
  const images = new Map([['web.service', 'ghcr.io/o/web:main']]);
  assert.deepEqual(readForStandby(path, HOST), { marks: new Map(), images });
  const units = { 'auto.service': MARKS };
  writeFileSync(path, JSON.stringify({ v: 1, host: HOST, units }));
  const marks = new Map([['auto.service', MARKS]]);
  assert.deepEqual(readForStandby(path, HOST), { marks, images: new Map() });
});
