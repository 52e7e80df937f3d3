// Needs: faketime
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Installation } from '../helpers/installation.ts';
import { deliver, makeInstallation } from './fault-fixture.ts';

const SOAK_MS = 2_000;
const YEAR_MS = 31_557_600_000;
/** What a trial needs beside its soak: two starts and some checks, on a busy machine. */
const TRIAL_LIMIT_MS = 40_000;

/** In Berlin. */
const SUMMER_TIME_ENDS_MS = Date.UTC(2027, 9, 31, 1);

/** Years by which the clock is wrong, from the start and from the middle of the trial on. */
const CASES = [
  ['is ten years ahead', 10, 10],
  ['is ten years behind', -10, -10],
  ['jumps ten years ahead in the soak', 0, 10],
  ['jumps ten years back in the soak', 0, -10],
  ['jumps from ten years ahead to ten years behind in the soak', 10, -10],
] as const;

describe(`a soak of ${SOAK_MS} ms takes so long, whatever the clock says`, () => {
  for (const [what, first, then] of CASES) {
    test(`which ${what}`, async () => {
      await using installation = await makeInstallation({
        environment: { PODUP_SELF_UPDATE_SOAK_MS: String(SOAK_MS) },
      });
      setClock(installation, first);
      await installation.offer({ version: '1.1.0' });
      const service = installation.start(toFakeClock(installation));
      await service.ready();
      const { now } = { now: service.lines.length };
      const asked = await installation.ask({ command: 'run' });
      await service.logged(({ msg, state }) => msg === 'self-update' && state === 'trial', now);
      await service.ready(service.lines.findLastIndex(({ state }) => state === 'trial'));
      setClock(installation, then);
      const { outcome, steps, startedAt } = await installation.finished(asked.txn ?? '');
      assert.equal(outcome, 'committed');
      const trialMs = steps.find(({ state }) => state === 'trial')?.ms ?? 0;
      assert.ok(trialMs >= SOAK_MS && trialMs < TRIAL_LIMIT_MS, `${trialMs} ms`);
      assert.ok(
        Math.abs(startedAt - Date.now() - first * YEAR_MS) < YEAR_MS,
        'the clock was wrong',
      );
      assert.equal(await service.version(), '1.1.0');
      assert.equal((await deliver(service.address)).status, 202);
    });
  }
});

test('a summer time that ends in the soak changes nothing', async () => {
  await using installation = await makeInstallation({
    environment: { PODUP_SELF_UPDATE_SOAK_MS: String(SOAK_MS), TZ: 'Europe/Berlin' },
  });
  await installation.offer({ version: '1.1.0' });
  const seconds = Math.round((SUMMER_TIME_ENDS_MS - Date.now()) / 1000) - 3;
  setTime(installation, `${seconds < 0 ? '' : '+'}${seconds}`);
  const service = installation.start(toFakeClock(installation));
  await service.ready();
  const { outcome, steps } = await installation.update();
  assert.equal(outcome, 'committed');
  const trialMs = steps.find(({ state }) => state === 'trial')?.ms ?? 0;
  assert.ok(trialMs >= SOAK_MS && trialMs < TRIAL_LIMIT_MS, `${trialMs} ms`);
});

/** The library that tells a program another time than it is. */
function findLibrary(): string {
  return execFileSync('faketime', ['-f', '+0', 'printenv', 'LD_PRELOAD'], {
    encoding: 'utf8',
  }).trim();
}

/** The wall clock only: what has passed since is told as it is. */
function toFakeClock(installation: Installation): Readonly<Record<string, string>> {
  return {
    LD_PRELOAD: findLibrary(),
    FAKETIME_TIMESTAMP_FILE: join(installation.folder, 'clock'),
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    DONT_FAKE_MONOTONIC: '1',
    NO_FAKE_STAT: '1',
  };
}

function setClock(installation: Installation, years: number): void {
  setTime(installation, `${years < 0 ? '' : '+'}${years}y`);
}

function setTime({ folder }: Installation, time: string): void {
  const file = join(folder, 'clock');
  writeFileSync(`${file}.tmp`, time);
  renameSync(`${file}.tmp`, file);
}
