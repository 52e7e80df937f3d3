import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { explore } from './sim-explore.ts';
import { STORIES } from './sim-stories.ts';

/** A sync, a story that breaks when it does nothing, and what it prevents. */
type Gate = readonly [sync: string, story: string, prevents: string];

const LATER = 'an update, to be gone back from later on';
const UNHELPED = 'a way back to a program that no-helpers';
const RAW = 'a way back to a program that cannot-back-up';
const NO_WAY_BACK = 'there is no way back to the former version';
const KEPT = '/state/data/backups/auto_update';

const GATES: readonly Gate[] = [
  ['data of /bin/podup.partial', 'an update', 'the program at the target is not whole'],
  ['name of /bin/podup', 'an update', '1.0.0 lies at the target, not 2.0.0'],
  ['name of /bin/podup.new, gone', 'a cancel while staged', '/bin/podup.new is left'],
  ['data of /state/data/UPDATE_LOCK.json', 'an update', 'the record is broken'],
  [
    'name of /state/data/UPDATE_LOCK.json',
    'an update',
    'an update that was acknowledged is forgotten',
  ],
  [
    'data of /state/data/update-history.jsonl',
    'an update',
    'an update that was acknowledged is forgotten',
  ],
  ['data of /state/data/quarantine.json', UNHELPED, 'a bad program is forgotten'],
  [`name of ${KEPT}`, LATER, NO_WAY_BACK],
  [`name of ${KEPT}/TXN`, LATER, NO_WAY_BACK],
  [`data of ${KEPT}/TXN/program.json`, LATER, NO_WAY_BACK],
  [`data of ${KEPT}/TXN/backup.json`, LATER, NO_WAY_BACK],
  [`name of ${KEPT}/TXN/backup.json`, LATER, NO_WAY_BACK],
  [`data of ${KEPT}/TXN/database.db`, LATER, NO_WAY_BACK],
  [`data of ${KEPT}/TXN/database.db.partial`, UNHELPED, 'it is held'],
  [`data of ${KEPT}/TXN/database.db.partial-wal`, RAW, 'it is held'],
  [`name of ${KEPT}/TXN/failed`, RAW, 'deliveries are gone from spool and database'],
  ['data of /state/data/pod-upgrade-trigger.db.restore', UNHELPED, 'the database is broken'],
  [
    'data of /state/data/pod-upgrade-trigger.db.restore-wal',
    RAW,
    'deliveries are gone from spool and database',
  ],
];

describe('a sync that does nothing is noticed', () => {
  for (const [brokenSync, name, prevents] of GATES) {
    test(`${brokenSync}: without it ${prevents}`, async () => {
      const story = STORIES.find((one) => one.name === name);
      assert.ok(story, `there is no story ${name}`);
      const { broken } = await explore(story, {
        disksPerMoment: 64,
        secondCrashes: 0,
        stopsAtFirst: true,
        brokenSync,
      });
      assert.ok(broken.length > 0, 'nothing broke');
      console.log(`${brokenSync}: prevents that ${broken[0]?.rule}`);
    });
  }
});
