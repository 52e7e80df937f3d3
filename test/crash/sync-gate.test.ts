import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { explore } from './sim-explore.ts';
import { STORIES } from './sim-stories.ts';

/** A sync, a story that breaks when it does nothing, and what it prevents. */
type Gate = readonly [sync: string, story: string, prevents: string, secondCrashes?: number];

const UPDATE = 'an update';
const LATER = 'an update, to be gone back from later on';
const UNHELPED = 'a way back to a program that no-helpers';
const RAW = 'a way back to a program that cannot-back-up';
const CANCEL = 'a cancel while staged';

const DATA = '/state/data';
const BACKUPS = '/state/data/backups/auto_update';
const DATABASE = '/state/data/pod-upgrade-trigger.db';
const REPORTS = '/state/self-update-reports';

const FORGOTTEN = 'an update that was acknowledged is forgotten';
const NO_WAY_BACK = 'there is no way back to the former version';
const LOST = 'deliveries are gone from spool and database';
const UNFIT = '1.0.0 was started on a database that it may not run on';

/** `data of X`: the content; `name of X`: that it is there, has taken the place of another, or is gone. */
const GATES: readonly Gate[] = [
  ['data of /bin/podup.partial', UPDATE, 'the program at the target is not whole'],
  ['name of /bin/podup', 'an update that migrates', UNFIT],
  ['name of /bin/podup.new, gone', CANCEL, '/bin/podup.new is left'],
  ['name of /bin/podup.tries', 'a release that supervisor-dies', 'no supervisor comes up'],
  [`data of ${DATA}/UPDATE_LOCK.json`, UPDATE, 'the record is broken'],
  [`name of ${DATA}/UPDATE_LOCK.json`, UPDATE, FORGOTTEN],
  [`data of ${DATA}/update-history.jsonl`, UPDATE, FORGOTTEN],
  [`name of ${DATA}/update-history.jsonl`, UPDATE, FORGOTTEN],
  [`found data of ${DATA}/update-history.jsonl`, UPDATE, FORGOTTEN, 3],
  [`data of ${DATA}/update-policy.json`, UPDATE, 'what the last update taught is forgotten'],
  [
    `name of ${DATA}/update-policy.json`,
    'an update after an update',
    'what the last update taught is forgotten',
  ],
  [`data of ${DATA}/quarantine.json`, UNHELPED, 'a bad program is forgotten'],
  [`name of ${REPORTS}`, UPDATE, 'an update has not one report'],
  [`name of ${REPORTS}/self-update-AT-TXN.json`, UPDATE, 'an update has not one report'],
  [`data of ${REPORTS}/self-update-AT-TXN.json`, UPDATE, 'a report is broken'],
  [`name of ${DATA}/backups`, LATER, NO_WAY_BACK],
  [`name of ${BACKUPS}`, LATER, NO_WAY_BACK],
  [`name of ${BACKUPS}/TXN`, LATER, NO_WAY_BACK],
  [`data of ${BACKUPS}/TXN/program.json`, LATER, NO_WAY_BACK],
  [`data of ${BACKUPS}/TXN/backup.json`, LATER, NO_WAY_BACK],
  [`name of ${BACKUPS}/TXN/backup.json`, LATER, NO_WAY_BACK],
  [`data of ${BACKUPS}/TXN/database.db`, LATER, NO_WAY_BACK],
  [`data of ${BACKUPS}/TXN/database.db.partial`, UNHELPED, 'it is held'],
  [`data of ${BACKUPS}/TXN/database.db.partial-wal`, RAW, 'it is held'],
  [`name of ${BACKUPS}/TXN/failed`, RAW, LOST],
  [`name of ${BACKUPS}/TXN/failed/pod-upgrade-trigger.db`, RAW, LOST],
  [`data of ${DATABASE}.restore`, UNHELPED, 'the database is broken'],
  [`data of ${DATABASE}.restore-wal`, RAW, LOST],
  [`name of ${DATABASE}`, 'a release that migrates and stranger', UNFIT],
  [`name of ${DATABASE}-wal`, RAW, LOST],
  ['names of a predecessor', UPDATE, 'an update that was committed is trial', 2],
];

const FOLLOWED = 'another sync of the same folder follows before anybody relies on it';
const REPEATED = 'where it is undone, the end of the update is repeated, which changes nothing';
const EVIDENCE = 'a person may look at it, nothing else does';

/** Syncs that come with a durable write, and that no crash misses; and why. */
const HARMLESS: Readonly<Record<string, string>> = {
  'data of /bin/podup.tries': 'the launcher takes one that it cannot read for 0, which it is',
  'name of /bin/podup.new': 'a staged program that is gone ends the update before the exchange',
  'name of /bin/podup.old': FOLLOWED,
  'name of /bin/podup.tries, gone': REPEATED,
  [`name of ${DATA}/UPDATE_LOCK.json, gone`]: REPEATED,
  [`name of ${DATA}/quarantine.json`]: FOLLOWED,
  [`name of ${BACKUPS}/TXN/program`]: FOLLOWED,
  [`name of ${BACKUPS}/TXN/program.json`]: FOLLOWED,
  [`name of ${BACKUPS}/TXN/database.db`]: FOLLOWED,
  [`name of ${BACKUPS}/TXN/database.db-wal`]: FOLLOWED,
  [`name of ${BACKUPS}/TXN/failed/pod-upgrade-trigger.db-wal`]: EVIDENCE,
  [`name of ${BACKUPS}/TXN/given-up`]: EVIDENCE,
  [`name of ${BACKUPS}/TXN/given-up/pod-upgrade-trigger.db`]: EVIDENCE,
  [`name of ${BACKUPS}/TXN/given-up/pod-upgrade-trigger.db-wal`]: EVIDENCE,
  [`name of ${DATABASE}-wal, gone`]: 'a restoration is begun anew until its end is recorded',
  [`name of ${DATABASE}.restore`]: FOLLOWED,
  [`name of ${DATABASE}.restore-wal`]: FOLLOWED,
  'name of leftovers': 'nobody reads what a crash left aside',
};

/** Where one is called, not where one is declared. */
const SYNC_CALL = /(?<!function |^ {2})\b(sync|datasync|syncDirectory|fsyncSync)\(/gm;

const WRITES = 'shared/fs/durable-file.ts';
const RESTORES = 'shared/fs/restore-database.ts';
const HISTORY = 'supervisor/record/history.ts';
const SETTLES = 'supervisor/record/settle-folders.ts';

/** A place in the code that syncs, a story that breaks without it, and what it prevents. */
const SITE_GATES: readonly Gate[] = [
  [`${WRITES}, writeAside: sync`, UPDATE, 'the record is broken'],
  [`${WRITES}, writeAside: syncDirectory`, UPDATE, FORGOTTEN],
  [`${WRITES}, appendDurably: sync`, UPDATE, FORGOTTEN],
  [`${WRITES}, appendDurably: syncDirectory`, UPDATE, FORGOTTEN],
  [`${WRITES}, renameDurably: syncDirectory`, 'an update that migrates', UNFIT],
  [`${WRITES}, removeDurably: syncDirectory`, CANCEL, '/bin/podup.new is left'],
  [`${WRITES}, linkDurably: syncDirectory`, UNHELPED, '2.0.0 lies at the target, not 1.0.0'],
  [`${WRITES}, makeDirectoryDurably: syncDirectory`, UPDATE, 'an update has not one report'],
  [`${HISTORY}, makeDurable: sync`, UPDATE, FORGOTTEN, 3],
  [`${SETTLES}, settleFolders: syncDirectory`, UPDATE, 'an update that was committed is trial', 2],
  // Of the copies that these order; the sync itself is `shared/fs/bulk-files.ts`.
  [
    `${RESTORES}, copyBackup: sync`,
    'a release that migrates and dies-after-migration',
    'the database is broken',
  ],
  [`${RESTORES}, copyWithLog: sync`, UNHELPED, 'it is held'],
];

/** Places that no story goes through, and the test that fails without them. */
const PROVEN_ELSEWHERE: Readonly<Record<string, string>> = {
  'app/db/backup-database.ts: sync': 'test/app/db/backup-database.test.ts',
  'app/db/rescue-database.ts: sync': 'test/app/db/rescue-database.test.ts',
  'app/db/rescue-database.ts: syncDirectory': 'test/app/db/rescue-database.test.ts',
  'app/intake/spool-writer.ts: datasync': 'test/app/intake/spool-writer.test.ts',
  'app/intake/spool-writer.ts: sync': 'test/app/intake/spool-writer.test.ts',
  'app/updates/release/download-program.ts: sync':
    'test/app/updates/release/download-program.test.ts',
  'shared/fs/bulk-files.ts: sync': 'test/shared/fs/bulk-files.test.ts',
  'shared/fs/files.ts: fsyncSync': 'test/shared/fs/durable-file.test.ts',
  [`${RESTORES}: syncDirectory`]: 'test/shared/fs/restore-database.test.ts',
  'supervisor/release/program-files.ts: syncDirectory':
    'test/supervisor/release/program-files.test.ts',
};

describe('a sync that does nothing is noticed', () => {
  for (const [brokenSync, name, prevents, secondCrashes = 0] of GATES) {
    test(`${brokenSync}: without it ${prevents}`, async () => {
      const story = STORIES.find((one) => one.name === name);
      assert.ok(story, `there is no story ${name}`);
      const depth = { disksPerMoment: 64, secondCrashes, stopsAtFirst: true, brokenSync };
      const { broken } = await explore(story, depth);
      assert.equal(broken[0]?.rule, prevents);
    });
  }

  for (const [brokenSite, name, prevents, secondCrashes = 0] of SITE_GATES) {
    test(`${brokenSite}: without it ${prevents}`, async () => {
      const story = STORIES.find((one) => one.name === name);
      assert.ok(story, `there is no story ${name}`);
      const depth = { disksPerMoment: 64, secondCrashes, stopsAtFirst: true, brokenSite };
      const { broken } = await explore(story, depth);
      assert.equal(broken[0]?.rule, prevents);
    });
  }

  test('every place in the code that syncs is broken here, or by a test that is named', () => {
    const root = join(import.meta.dirname, '../..');
    const places = globSync('{app,shared,supervisor}/**/*.ts', { cwd: root }).flatMap((path) =>
      [...readFileSync(join(root, path), 'utf8').matchAll(SYNC_CALL)].map(
        ([, call]) => `${path}: ${call}`,
      ),
    );
    const broken = SITE_GATES.map(([site]) => site.replace(/, \w+:/, ':'));
    const known = [...broken, ...Object.keys(PROVEN_ELSEWHERE)];
    assert.deepEqual(
      [...new Set(places)].filter((place) => !known.includes(place)),
      [],
    );
  });

  test('every sync that an update makes is noticed, or is known not to be needed', async () => {
    const made = new Set<string>();
    for (const story of STORIES) {
      const { syncs } = await explore(story, { disksPerMoment: 0, secondCrashes: 0 });
      for (const sync of syncs) made.add(sync);
    }
    const known = new Set([...GATES.map(([sync]) => sync), ...Object.keys(HARMLESS)]);
    assert.deepEqual(
      [...made].filter((sync) => !known.has(sync)),
      [],
    );
  });
});
