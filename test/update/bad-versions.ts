import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { ErrorCode } from '../../shared/contract/error-codes.ts';
import { checkLeftovers, digestOf, quarantined } from '../helpers/update-checks.ts';
import { Host, type Offer } from './fault-fixture.ts';

/** A release that is bad in one way, and what has to follow. */
export type BadVersion = {
  /** What it does, after "a new version that". */
  readonly that: string;
  readonly offer: Offer;
  readonly code: ErrorCode;
  /** What the failure has to tell. */
  readonly detail?: RegExp;
  /** How often its worker is started. */
  readonly starts: number;
};

/** Short, but longer than a good worker takes on a busy machine. */
const START_TIMEOUT_MS = 2_500;

/** Has one service go through all of these; after each it serves as before, from the same process. */
export function describeBadVersions(title: string, cases: readonly BadVersion[]): void {
  describe(title, () => {
    let host: Host;
    before(async () => {
      host = await Host.start({
        environment: {
          PODUP_SELF_UPDATE_START_TIMEOUT_MS: String(START_TIMEOUT_MS),
          PODUP_STOP_TIMEOUT_MS: '1000',
        },
      });
    });
    after(() => host[Symbol.asyncDispose]());

    for (const each of cases) {
      test(`a new version that ${each.that} is rolled back with ${each.code}`, () =>
        checkRollback(host, each));
    }
  });
}

async function checkRollback(host: Host, bad: BadVersion): Promise<void> {
  const { installation, service } = host;
  const { now } = host;
  const was = digestOf(installation.program.target);
  const { outcome, failure, databaseRestored, to } = await host.install(bad.offer);
  assert.deepEqual([outcome, failure?.code], ['rolled-back', bad.code]);
  if (bad.detail) assert.match(failure?.detail ?? '', bad.detail);
  assert.equal(databaseRestored, false, 'nothing is given up where nothing has to be');
  assert.equal(await service.version(), '1.0.0');
  assert.equal(digestOf(installation.program.target), was);
  // The last start is that of the old version.
  const starts = service.lines.slice(now).filter(({ msg }) => msg === 'worker started').length - 1;
  assert.equal(starts, bad.starts);
  assert.ok(quarantined(installation).includes(to?.digest ?? ''), 'it is never taken again');
  assert.equal(service.child.exitCode, null, 'the service has not ended');
  checkLeftovers(installation);
}
