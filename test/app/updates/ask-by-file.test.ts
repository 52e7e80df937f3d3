import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { describe, test } from 'node:test';
import { askByFile } from '../../../app/updates/ask-by-file.ts';
import { newUpdateRequest } from '../../../app/updates/ask-supervisor.ts';
import { lookUntil } from '../../../app/updates/look-until.ts';
import type { StatePaths } from '../../../shared/contract/state-paths.ts';
import { realFiles } from '../../../shared/fs/files.ts';
import { startFakeSupervisor, writeAnswer } from './fake-supervisor.ts';
import { makeState } from './update-fixture.ts';

/** Longer than anything here takes. */
const LONG_MS = 20_000;
const SHORT_MS = 150;
const NO_ANSWER = { txn: null, failure: null, status: null };

/** Waits until a request lies there. */
async function requestPut(paths: StatePaths): Promise<void> {
  const look = () => existsSync(paths.updateRequest) || undefined;
  assert.ok(await lookUntil({ folder: paths.dataDir }, AbortSignal.timeout(LONG_MS), look));
}

/** What lies in the data directory; nothing but the folder of answers when all is done. */
function leftovers(paths: StatePaths): readonly string[] {
  return [...readdirSync(paths.dataDir), ...readdirSync(paths.updateAnswersDir)];
}

describe('askByFile', () => {
  test('brings the answer and leaves nothing behind', async (t) => {
    const paths = makeState(t);
    const { requests } = startFakeSupervisor(t, paths, () => ({ txn: 'upd_7' }));
    const request = newUpdateRequest('run', 'cli', { tag: 'v2.0.0', reason: 'größer' });
    const asked = await askByFile(paths, request, { waitMs: LONG_MS });
    assert.deepEqual(asked, {
      ok: true,
      value: { id: request.id, txn: 'upd_7', failure: null, status: null },
    });
    assert.deepEqual(requests, [request]);
    assert.deepEqual(leftovers(paths), ['update-answers']);
  });

  test('a refusal is a failure', async (t) => {
    const paths = makeState(t);
    const failure = { code: 'UPDATE_ON_HOLD', detail: 'Ann said so.' } as const;
    startFakeSupervisor(t, paths, () => ({ failure }));
    const asked = await askByFile(paths, newUpdateRequest('run', 'cli'), { waitMs: LONG_MS });
    assert.deepEqual(asked, { ok: false, failure });
  });

  test('only its user can read the request', async (t) => {
    const paths = makeState(t);
    const asking = askByFile(paths, newUpdateRequest('run', 'cli'), { waitMs: LONG_MS });
    await requestPut(paths);
    assert.equal(statSync(paths.updateRequest).mode & 0o777, 0o600);
    startFakeSupervisor(t, paths);
    assert.ok((await asking).ok);
  });

  test('an answer that was there before anybody looked is not missed', async (t) => {
    const paths = makeState(t);
    const request = newUpdateRequest('hold', 'cli');
    writeAnswer(paths, { ...NO_ANSWER, id: request.id, txn: 'upd_1' });
    const asked = await askByFile(paths, request, { waitMs: LONG_MS });
    assert.equal(asked.ok && asked.value.txn, 'upd_1');
  });

  test('without a supervisor the request is taken back', async (t) => {
    const paths = makeState(t);
    const asked = await askByFile(paths, newUpdateRequest('run', 'cli'), { waitMs: SHORT_MS });
    assert.deepEqual(asked, {
      ok: false,
      failure: { code: 'UPDATE_SUPERVISOR_UNREACHABLE', detail: 'It was silent for 0.15 s.' },
    });
    assert.deepEqual(leftovers(paths), ['update-answers']);
  });

  test('whoever asked and does not want to wait any longer takes the request back', async (t) => {
    const paths = makeState(t);
    const leaving = new AbortController();
    const asking = askByFile(paths, newUpdateRequest('run', 'cli'), {
      waitMs: 600_000,
      signal: leaving.signal,
    });
    await requestPut(paths);
    leaving.abort();
    assert.match(JSON.stringify(await asking), /nobody wanted to wait any longer\."/);
    assert.deepEqual(leftovers(paths), ['update-answers']);
  });

  test('where no supervisor has ever run it says so at once', async (t) => {
    const paths = makeState(t);
    rmSync(paths.dataDir, { recursive: true });
    const asked = await askByFile(paths, newUpdateRequest('run', 'cli'), { waitMs: LONG_MS });
    assert.equal(!asked.ok && asked.failure.code, 'UPDATE_SUPERVISOR_UNREACHABLE');
    assert.match(JSON.stringify(asked), /does not exist/);
    assert.equal(existsSync(paths.dataDir), false);
  });

  test('a state directory that cannot be written is named', async (t) => {
    const paths = makeState(t);
    writeFileSync(paths.updateAnswersDir, 'in the way');
    const asked = await askByFile(paths, newUpdateRequest('run', 'cli'), { waitMs: LONG_MS });
    assert.equal(!asked.ok && asked.failure.code, 'STATE_DIR_UNUSABLE');
    assert.ok(JSON.stringify(asked).includes(`${paths.updateAnswersDir}: EEXIST`));
  });

  test('a half-written answer is not taken for one, nor one to somebody else', async (t) => {
    const paths = makeState(t);
    const request = newUpdateRequest('run', 'cli');
    const path = `${paths.updateAnswersDir}/${request.id}.json`;
    const answer = JSON.stringify({ ...NO_ANSWER, id: request.id, txn: 'upd_9' });
    const stages = [
      JSON.stringify({ ...NO_ANSWER, id: 'somebody-else' }),
      answer.slice(0, 20),
      answer,
    ];
    let stage = 0;
    const asked = await askByFile(paths, request, {
      waitMs: LONG_MS,
      files: {
        ...realFiles,
        // A stage that was looked at leads to the next one.
        read: (file, maxBytes) => {
          const bytes = realFiles.read(file, maxBytes);
          const text = bytes && Buffer.from(bytes).toString();
          if (file === path && text === stages[stage - 1] && stage < stages.length) {
            const next = stages[stage] ?? '';
            stage += 1;
            setImmediate(() => writeFileSync(path, next));
          }
          return bytes;
        },
      },
    });
    assert.equal(asked.ok && asked.value.txn, 'upd_9');
    assert.equal(stage, stages.length);
  });
});

describe('several askers', () => {
  test('a flood of requests is answered one by one, each with its own answer', async (t) => {
    const paths = makeState(t);
    const { requests, broken } = startFakeSupervisor(t, paths, ({ id }) => ({ txn: id }));
    const asked = await Promise.all(
      Array.from({ length: 60 }, async (_, index) => {
        const request = newUpdateRequest('run', 'cli', { reason: String(index) });
        const outcome = await askByFile(paths, request, { waitMs: LONG_MS });
        return outcome.ok && outcome.value.txn === request.id;
      }),
    );
    assert.deepEqual(
      asked.filter((isOwn) => !isOwn),
      [],
    );
    assert.equal(new Set(requests.map(({ id }) => id)).size, 60);
    assert.deepEqual(broken, []);
    assert.deepEqual(leftovers(paths), ['update-answers']);
  });

  test('the request of another that nobody takes is left alone, and said to be in the way', async (t) => {
    const paths = makeState(t);
    writeFileSync(paths.updateRequest, 'of somebody else');
    const asked = await askByFile(paths, newUpdateRequest('run', 'cli'), { waitMs: SHORT_MS });
    assert.match(JSON.stringify(asked), /UPDATE_SUPERVISOR_UNREACHABLE.*Another request/);
    assert.equal(readFileSync(paths.updateRequest, 'utf8'), 'of somebody else');
  });

  test('the second is put into its place as soon as the first was taken, and not tried before', async (t) => {
    const paths = makeState(t);
    writeFileSync(paths.updateRequest, 'of somebody else');
    const request = newUpdateRequest('run', 'cli');
    let tries = 0;
    const create = (path: string, mode: number) => {
      tries += 1;
      return realFiles.create(path, mode);
    };
    const files = { ...realFiles, create };
    const asking = askByFile(paths, request, { waitMs: LONG_MS, files });
    const { requests, broken } = startFakeSupervisor(t, paths);
    assert.ok((await asking).ok);
    assert.deepEqual([requests, broken, tries], [[request], ['of somebody else'], 1]);
  });

  test('one that is faster between look and try does not end the wait', async (t) => {
    const paths = makeState(t);
    const request = newUpdateRequest('run', 'cli');
    const { requests, broken } = startFakeSupervisor(t, paths);
    let isFirst = true;
    const link = (from: string, to: string) => {
      if (isFirst) writeFileSync(to, 'of somebody else');
      isFirst = false;
      realFiles.link(from, to);
    };
    const files = { ...realFiles, link };
    assert.ok((await askByFile(paths, request, { waitMs: LONG_MS, files })).ok);
    assert.deepEqual([requests, broken], [[request], ['of somebody else']]);
  });
});

describe('a supervisor that is slower than the asker', () => {
  test('has taken the request in the last moment: its answer is waited for', async (t) => {
    const paths = makeState(t);
    const request = newUpdateRequest('run', 'cli');
    const asking = askByFile(paths, request, {
      waitMs: SHORT_MS,
      files: {
        ...realFiles,
        // The first look at the request is the one before it is taken back.
        read: (path, maxBytes) => {
          if (path === paths.updateRequest) {
            rmSync(path, { force: true });
            const answer = { ...NO_ANSWER, id: request.id, txn: 'upd_3' };
            setImmediate(() => writeAnswer(paths, answer));
          }
          return realFiles.read(path, maxBytes);
        },
      },
    });
    const asked = await asking;
    assert.equal(asked.ok && asked.value.txn, 'upd_3');
  });

  test('has taken it and is silent: that it may act on it is said', async (t) => {
    const paths = makeState(t);
    startFakeSupervisor(t, paths, () => undefined);
    const asked = await askByFile(paths, newUpdateRequest('run', 'cli'), { waitMs: SHORT_MS });
    assert.match(JSON.stringify(asked), /UPDATE_SUPERVISOR_UNREACHABLE.*may act on it/);
  });

  test('takes it while it is being taken back: the request that came into its place is put back', async (t) => {
    const paths = makeState(t);
    const others = newUpdateRequest('hold', 'cli');
    const asked = await askByFile(paths, newUpdateRequest('run', 'cli'), {
      waitMs: SHORT_MS,
      files: {
        ...realFiles,
        rename: (from, to) => {
          // The supervisor takes ours, another puts theirs there, and then we move.
          writeFileSync(from, JSON.stringify(others));
          realFiles.rename(from, to);
        },
      },
    });
    assert.match(JSON.stringify(asked), /may act on it/);
    assert.deepEqual(JSON.parse(readFileSync(paths.updateRequest, 'utf8')), others);
    assert.deepEqual(leftovers(paths).toSorted(), ['update-answers', 'update-request.json']);
  });

  test('takes it between the look and the taking back', async (t) => {
    const paths = makeState(t);
    const asked = await askByFile(paths, newUpdateRequest('run', 'cli'), {
      waitMs: SHORT_MS,
      files: {
        ...realFiles,
        rename: (from, to) => {
          rmSync(from);
          realFiles.rename(from, to);
        },
      },
    });
    assert.match(JSON.stringify(asked), /may act on it/);
  });

  test('answers in the moment in which the request is taken back: the answer counts', async (t) => {
    const paths = makeState(t);
    const request = newUpdateRequest('run', 'cli');
    const asked = await askByFile(paths, request, {
      waitMs: SHORT_MS,
      files: {
        ...realFiles,
        rename: (from, to) => {
          realFiles.rename(from, to);
          writeAnswer(paths, { ...NO_ANSWER, id: request.id, txn: 'upd_4' });
        },
      },
    });
    assert.equal(asked.ok && asked.value.txn, 'upd_4');
  });
});

describe('lookUntil', () => {
  test('looks at what was there before it watched', async (t) => {
    const { dataDir } = makeState(t);
    const found = await lookUntil({ folder: dataDir }, AbortSignal.timeout(LONG_MS), () => 'there');
    assert.equal(found, 'there');
  });

  test('looks again only when the named entry changes', async (t) => {
    const { dataDir } = makeState(t);
    let looks = 0;
    const looking = lookUntil(
      { folder: dataDir, names: ['wanted'] },
      AbortSignal.timeout(LONG_MS),
      () => {
        looks += 1;
        return existsSync(`${dataDir}/wanted`) || undefined;
      },
    );
    // Who watches the same folder hears of the same changes at the same time.
    const heard = lookUntil(
      { folder: dataDir, names: ['other 49'] },
      AbortSignal.timeout(LONG_MS),
      () => existsSync(`${dataDir}/other 49`) || undefined,
    );
    for (let index = 0; index < 50; index += 1) writeFileSync(`${dataDir}/other ${index}`, 'x');
    assert.equal(await heard, true);
    mkdirSync(`${dataDir}/made`);
    renameSync(`${dataDir}/made`, `${dataDir}/wanted`);
    assert.equal(await looking, true);
    assert.equal(looks, 2);
  });

  test('looks once more after a change during a look, and never twice at once', async (t) => {
    const { dataDir } = makeState(t);
    let looking = 0;
    let looks = 0;
    const found = await lookUntil({ folder: dataDir }, AbortSignal.timeout(LONG_MS), async () => {
      looking += 1;
      assert.equal(looking, 1);
      looks += 1;
      if (looks === 1) {
        writeFileSync(`${dataDir}/changed`, '');
        // Until the change has been told.
        await lookUntil({ folder: dataDir }, AbortSignal.timeout(SHORT_MS), () => undefined);
      }
      looking -= 1;
      return looks === 2 ? 'seen' : undefined;
    });
    assert.equal(found, 'seen');
  });

  test('ends with nothing when its signal says so, also before it began', async (t) => {
    const { dataDir } = makeState(t);
    const look = () => undefined;
    assert.equal(
      await lookUntil({ folder: dataDir }, AbortSignal.timeout(SHORT_MS), look),
      undefined,
    );
    assert.equal(await lookUntil({ folder: dataDir }, AbortSignal.abort(), look), undefined);
  });

  test('fails with what the look fails with, at once or later', async (t) => {
    const { dataDir } = makeState(t);
    const limit = AbortSignal.timeout(LONG_MS);
    const failing = () => {
      throw new Error('no');
    };
    await assert.rejects(lookUntil({ folder: dataDir }, limit, failing), /no/);
    const later = lookUntil({ folder: dataDir }, limit, () =>
      existsSync(`${dataDir}/x`) ? failing() : undefined,
    );
    writeFileSync(`${dataDir}/x`, '');
    await assert.rejects(later, /no/);
    await assert.rejects(lookUntil({ folder: `${dataDir}/gone` }, limit, failing), {
      code: 'ENOENT',
    });
  });
});
