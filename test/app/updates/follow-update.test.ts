import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { appendFileSync, rmSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { type FollowedEnd, followUpdate } from '../../../app/updates/follow-update.ts';
import type { StatePaths } from '../../../shared/contract/state-paths.ts';
import type { UpdateState } from '../../../shared/contract/update-record.ts';
import { historyEntry, makeState, updateRecord, writeUpdateFiles } from './update-fixture.ts';

const LONG_MS = 20_000;

/** Resolves when whoever follows looks the next time. */
type NextLook = () => Promise<void>;

/** Follows upd_1 to its end; `onState` is how the supervisor goes on once a state was seen. */
async function follow(
  paths: StatePaths,
  onState: (state: UpdateState, nextLook: NextLook) => void | Promise<void> = () => undefined,
  onBegin: (nextLook: NextLook) => void | Promise<void> = () => undefined,
): Promise<{ readonly end: FollowedEnd; readonly states: readonly UpdateState[] }> {
  const states: UpdateState[] = [];
  const looks = new EventEmitter();
  const nextLook = () => once(looks, 'look').then(() => undefined);
  // Each look asks for the path of the history, last of all.
  const seen = {
    ...paths,
    get updateHistory() {
      looks.emit('look');
      return paths.updateHistory;
    },
  };
  const following = followUpdate(seen, 'upd_1', {
    signal: AbortSignal.timeout(LONG_MS),
    onState: (state) => {
      states.push(state);
      setImmediate(() => void onState(state, nextLook));
    },
  });
  await onBegin(nextLook);
  return { end: await following, states };
}

describe('followUpdate', () => {
  test('tells each state once and how it ended', async (t) => {
    const paths = makeState(t);
    const entry = historyEntry();
    writeUpdateFiles(paths, { record: updateRecord({ state: 'staging' }) });
    const { end, states } = await follow(paths, async (state, nextLook) => {
      if (state === 'staging') {
        const looked = nextLook();
        writeUpdateFiles(paths, { record: updateRecord({ state: 'staging', seq: 4 }) });
        await looked;
        writeUpdateFiles(paths, { record: updateRecord({ state: 'trial' }) });
        return;
      }
      writeUpdateFiles(paths, { history: [historyEntry({ txn: 'upd_0' }), entry] });
      rmSync(paths.updateRecord);
    });
    assert.deepEqual(states, ['staging', 'trial']);
    assert.deepEqual(end, { kind: 'ended', entry });
  });

  test('one that had ended before it was followed is not missed', async (t) => {
    const paths = makeState(t);
    const entry = historyEntry({ outcome: 'current' });
    writeUpdateFiles(paths, { history: [entry, historyEntry({ txn: 'upd_2' })] });
    assert.deepEqual((await follow(paths)).end, { kind: 'ended', entry });
  });

  test('one that is held has come to where only a person helps', async (t) => {
    const paths = makeState(t);
    const record = updateRecord({ state: 'held' });
    writeUpdateFiles(paths, { record });
    const { end, states } = await follow(paths);
    assert.deepEqual([end, states], [{ kind: 'held', record }, ['held']]);
  });

  test('a record that cannot be read yet, or only by a newer program, is waited out', async (t) => {
    const paths = makeState(t);
    const entry = historyEntry();
    writeFileSync(paths.updateRecord, '{"v":1,"txn":"upd');
    const goOn = async (state: UpdateState, nextLook: NextLook) => {
      assert.equal(state, 'trial');
      const looked = nextLook();
      writeUpdateFiles(paths, { record: updateRecord({ v: 2 }) });
      await looked;
      const line = `${JSON.stringify(entry)}\n`;
      const lookedAgain = nextLook();
      appendFileSync(paths.updateHistory, line.slice(0, 50));
      await lookedAgain;
      appendFileSync(paths.updateHistory, line.slice(50));
    };
    const begin = async (nextLook: NextLook) => {
      await nextLook();
      writeUpdateFiles(paths, { record: updateRecord({ state: 'trial' }) });
    };
    const { end } = await follow(paths, goOn, begin);
    assert.deepEqual(end, { kind: 'ended', entry });
  });

  for (const [title, files] of [
    ['neither record nor history knows', {}],
    ['another has taken the place of', { record: updateRecord({ txn: 'upd_9' }) }],
  ] as const) {
    test(`one that ${title} is lost`, async (t) => {
      const paths = makeState(t);
      writeUpdateFiles(paths, files);
      assert.deepEqual((await follow(paths)).end, { kind: 'lost' });
    });
  }

  test('whoever does not want to wait leaves', async (t) => {
    const paths = makeState(t);
    writeUpdateFiles(paths, { record: updateRecord() });
    const leaving = new AbortController();
    const end = await followUpdate(paths, 'upd_1', {
      signal: leaving.signal,
      onState: () => leaving.abort(),
    });
    assert.deepEqual(end, { kind: 'left' });
  });
});
