import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { describe, test } from 'node:test';
import { NEXT_MIGRATION } from '../helpers/release-behaviours.ts';
import { Host, onReady, readSchema } from './fault-fixture.ts';

const FORBIDDING = `migration:${NEXT_MIGRATION}:must-not-run` as const;

/** Code that changes the copy of the database that was made for this update. */
const spoil = (code: string) => `
  const fs = require('node:fs');
  const folder = process.env.PODUP_STATE_DIR + '/data/backups/auto_update';
  const file = folder + '/' + fs.readdirSync(folder).at(-1) + '/database.db';
  ${code}
  process.exit(78);`;

/** How the copy is spoilt, and the code that does it, which knows `fs` and `file`. */
export type SpoiltCopy = readonly [what: string, code: string];

/** Goes through the cases, each on a host of its own. */
export function describeSpoiltCopies(cases: readonly SpoiltCopy[]): void {
  describe('a copy of the database that is spoilt when it is needed', () => {
    for (const [what, code] of cases) {
      test(`${what}: it is held, nothing is half put back, and a release that fits the database cures it`, async () => {
        await using host = await Host.start();
        const { installation, service } = host;
        const bad = await host.offer({ break: FORBIDDING, prologue: onReady(spoil(code)) });
        await installation.ask({ command: 'run', tag: bad.tag });
        await host.reached('held');
        const { warnings, database } = host.record();
        assert.match(warnings.at(-1) ?? '', /^UPDATE_RESTORE_FAILED: .*database\.db/);
        assert.equal(database.restored, false);
        assert.equal(readSchema(installation), NEXT_MIGRATION, 'what the new version left');
        assert.deepEqual(globSync(`${installation.paths.dataDir}/*.{tmp,failed*}`), []);

        const { outcome, to } = await host.install({ break: FORBIDDING });
        assert.equal(outcome, 'committed');
        assert.equal(await service.version(), to?.version);
      });
    }
  });
}
