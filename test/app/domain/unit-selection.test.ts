import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { selectUnits } from '../../../app/domain/unit-selection.ts';
import { listedUnits } from '../../helpers/listed-units.ts';

const KNOWN = ['web.service', 'db.service', 'worker@2.service'];

/** Found on the host besides. */
const FOUND = { 'auto.service': { isAutoUpdated: true }, 'silent.service': {} };

const SELECTIONS = [
  ['all of them, where that is said', { all: true, units: [] }, [...KNOWN, 'auto.service']],
  ['a name without its ending', { all: false, units: ['web'] }, ['web.service']],
  ['each once', { all: false, units: ['db', 'web', 'db.service'] }, ['db.service', 'web.service']],
  ['all, and a name besides', { all: true, units: ['db'] }, [...KNOWN, 'auto.service']],
  ['one that was found, by its name', { all: false, units: ['silent'] }, ['silent.service']],
] as const;

const REFUSALS = [
  ['nothing at all', KNOWN, { all: false, units: [] }, 'SELECTION_EMPTY', ''],
  ['all of none', [], { all: true, units: [] }, 'SELECTION_EMPTY', 'No unit is known.'],
  [
    'one unknown among known',
    KNOWN,
    { all: false, units: ['web', 'x'] },
    'UNIT_NOT_CONFIGURED',
    'x.',
  ],
  ['an unknown one besides all', KNOWN, { all: true, units: ['x'] }, 'UNIT_NOT_CONFIGURED', 'x.'],
  ['an option', KNOWN, { all: false, units: ['--now'] }, 'UNIT_NOT_CONFIGURED', '--now.'],
  ['a unit of the manager', KNOWN, { all: false, units: ['dbus'] }, 'UNIT_NOT_CONFIGURED', 'dbus.'],
] as const;

describe('selectUnits', () => {
  for (const [title, selection, expected] of SELECTIONS) {
    test(`takes ${title}`, () => {
      assert.deepEqual(selectUnits(listedUnits(KNOWN, FOUND), selection), {
        ok: true,
        value: [...expected],
      });
    });
  }
  for (const [title, known, selection, code, detail] of REFUSALS) {
    test(`refuses ${title}`, () => {
      assert.deepEqual(selectUnits(listedUnits(known), selection), {
        ok: false,
        failure: { code, detail },
      });
    });
  }
});
