import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createSelfUpdateCall } from '../../../app/scheduler/ask-self-update.ts';
import type { ErrorCode } from '../../../shared/contract/error-codes.ts';
import { fail, type Outcome, succeed } from '../../../shared/contract/outcome.ts';
import type { UpdateAnswer, UpdateRequest } from '../../../shared/contract/update-request.ts';
import { keepLog } from '../../helpers/log-lines.ts';

const ANSWER = succeed({ id: 'x', txn: 'upd_1', failure: null, status: null });

function make(answers: readonly Outcome<UpdateAnswer>[], dryRun = false) {
  const asked: UpdateRequest[] = [];
  const runs: Outcome<UpdateAnswer>[] = [];
  const { log, lines } = keepLog();
  const call = createSelfUpdateCall({
    ...{ dryRun, log },
    onRun: (outcome) => runs.push(outcome),
    ask: (request) => {
      asked.push(request);
      return Promise.resolve(answers[asked.length - 1] ?? ANSWER);
    },
  });
  return { call, asked, runs, lines };
}

describe('the scheduled self-update', () => {
  test('asks the supervisor, and tells what came of it', async () => {
    const refusal = fail('UPDATE_ON_HOLD', 'x');
    const { call, asked, runs, lines } = make([ANSWER, refusal], true);
    assert.deepEqual(await call(), succeed('asked for: upd_1'));
    assert.deepEqual(await call(), refusal);
    const { command, trigger, by, dryRun } = asked[0] ?? {};
    assert.deepEqual([command, trigger, by, dryRun], ['run', 'cron', 'schedule', true]);
    assert.deepEqual(runs, [ANSWER, refusal]);
    assert.equal(lines[0]?.msg, 'a scheduled self-update has begun');
  });

  test('logs a refusal once for each kind, until a run is taken again', async () => {
    const codes: (ErrorCode | undefined)[] = [
      ...(['UPDATE_ON_HOLD', 'UPDATE_ON_HOLD', 'UPDATE_IN_PROGRESS'] as const),
      ...(['UPDATE_ON_HOLD', undefined, 'UPDATE_ON_HOLD'] as const),
    ];
    const answers = codes.map((code) => (code === undefined ? ANSWER : fail(code, 'Seen so.')));
    const { call, lines } = make(answers);
    for (const _ of codes) await call();
    assert.deepEqual(
      lines.map(({ level, code }) => [level, code]),
      [
        [30, 'UPDATE_ON_HOLD'],
        [30, 'UPDATE_IN_PROGRESS'],
        [30, undefined],
        [30, 'UPDATE_ON_HOLD'],
      ],
    );
    assert.match(lines[0]?.msg ?? '', /^no scheduled self-update: UPDATE_ON_HOLD: .* Seen so\./);
  });

  test('warns each time of a fault', async () => {
    const fault = fail('UPDATE_SUPERVISOR_UNREACHABLE', '');
    const { call, lines } = make([fault, fault]);
    await call();
    await call();
    assert.deepEqual(
      lines.map(({ level }) => level),
      [40, 40],
    );
  });
});
