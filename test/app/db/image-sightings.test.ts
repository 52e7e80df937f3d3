import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openTestStore } from '../../helpers/store.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

test('an image is seen first once for each unit and digest, whatever the clock says later', (t) => {
  const folder = makeTempFolder(t);
  const { sightings } = openTestStore(t, folder).store;
  assert.equal(sightings.note('web.service', 'sha256:a', 100), 100);
  assert.equal(sightings.note('web.service', 'sha256:a', 200), 100);
  assert.equal(sightings.note('web.service', 'sha256:a', 50), 100);
  assert.equal(sightings.note('web.service', 'sha256:b', 300), 300);
  assert.equal(sightings.note('db.service', 'sha256:a', 400), 400);
  const other = openTestStore(t, folder).store;
  assert.equal(other.sightings.note('web.service', 'sha256:a', 500), 100);
});
