import assert from 'node:assert/strict';
import { readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { makeProgram } from '../helpers/executable.ts';
import { makeInstalled } from './installed-program.ts';

/**
 * Starts two supervisors at once on one state directory, over and over: each time one acts, and the other leaves with
 * 75 and says who holds it.
 */
export async function contest(context: TestContext, rounds: number): Promise<void> {
  const { folder, paths, program, start } = makeInstalled(context);
  const starts = join(paths.stateDir, 'starts');
  // A worker of one line: what counts is who starts one.
  const whole = join(folder, 'whole');
  renameSync(program.target, whole);
  makeProgram(program.target, {
    supervise: `. '${whole}'`,
    'http-server': `echo $$ >> '${starts}'; echo '{"msg":"acts"}'; exec sleep 600`,
  });
  for (let round = 1; round <= rounds; round++) {
    const both = [start(), start()];
    const first = await Promise.race(both.map(async (one) => ({ one, end: await one.ended() })));
    const [loser, winner] = first.one === both[0] ? both : both.toReversed();
    assert.ok(loser && winner);
    assert.equal(first.end.code, 75);
    const holder = `Process ${winner.child.pid} \\(supervisor\\) has held`;
    assert.match(first.end.stderr, new RegExp(`STATE_DIR_IN_USE: .*${holder}`));
    await winner.next('acts');
    winner.child.kill('SIGTERM');
    assert.equal((await winner.ended()).code, 0);
    await Promise.all([loser.silent, winner.silent]);
    assert.equal(readFileSync(starts, 'utf8').split('\n').length - 1, round);
  }
}
