import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  type AskingChannel,
  createAskSupervisor,
  newUpdateRequest,
} from '../../../app/updates/ask-supervisor.ts';
import { parseUpdateRequest, type UpdateAnswer } from '../../../shared/contract/update-request.ts';
import type { WorkerNotice } from '../../../shared/contract/worker-messages.ts';
import { startFakeSupervisor } from './fake-supervisor.ts';
import { makeState } from './update-fixture.ts';

const LONG_MS = 20_000;

/** A channel that a supervisor hears at its other end. */
function openChannel(hear: (notice: WorkerNotice, say: (answer: UpdateAnswer) => void) => void) {
  const listeners = new Set<(answer: UpdateAnswer) => void>();
  const say = (answer: UpdateAnswer) => {
    for (const listener of listeners) listener(answer);
  };
  const channel: AskingChannel = {
    send: (notice) => hear(notice, say),
    onUpdateAnswer: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  return { channel, listeners };
}

describe('createAskSupervisor', () => {
  test('asks over the channel and takes the answer to its own question', async (t) => {
    const paths = makeState(t);
    const request = newUpdateRequest('run', 'api', { dryRun: true });
    const heard: WorkerNotice[] = [];
    const { channel, listeners } = openChannel((notice, say) => {
      heard.push(notice);
      say({ id: 'another', txn: 'upd_1', failure: null, status: null });
      say({ id: request.id, txn: 'upd_2', failure: null, status: null });
    });
    const asked = await createAskSupervisor(channel, paths, LONG_MS)(request);
    assert.equal(asked.ok && asked.value.txn, 'upd_2');
    assert.deepEqual(heard, [{ kind: 'update-request', request }]);
    assert.equal(listeners.size, 0);
  });

  test('a refusal over the channel is a failure', async (t) => {
    const failure = { code: 'UPDATE_IN_PROGRESS', detail: 'upd_1.' } as const;
    const request = newUpdateRequest('run', 'api');
    const { channel } = openChannel((_, say) =>
      say({ id: request.id, txn: 'upd_1', failure, status: null }),
    );
    const asked = await createAskSupervisor(channel, makeState(t), LONG_MS)(request);
    assert.deepEqual(asked, { ok: false, failure });
  });

  test('a supervisor that is silent is unreachable after the limit, and nobody listens any more', async (t) => {
    const { channel, listeners } = openChannel(() => undefined);
    const ask = createAskSupervisor(channel, makeState(t), 100);
    assert.deepEqual(await ask(newUpdateRequest('run', 'api')), {
      ok: false,
      failure: { code: 'UPDATE_SUPERVISOR_UNREACHABLE', detail: 'It was silent for 0.1 s.' },
    });
    assert.equal(listeners.size, 0);
  });

  test('without a channel it asks by file', async (t) => {
    const paths = makeState(t);
    const { requests } = startFakeSupervisor(t, paths, () => ({ txn: 'upd_5' }));
    const request = newUpdateRequest('run', 'api');
    const asked = await createAskSupervisor(undefined, paths, LONG_MS)(request);
    assert.equal(asked.ok && asked.value.txn, 'upd_5');
    assert.deepEqual(requests, [request]);
  });
});

describe('newUpdateRequest', () => {
  test('makes requests that can be read as they are, each with an id of its own', () => {
    const [one, other] = [
      newUpdateRequest('rollback', 'cli', { version: '1.0.0', restoreDatabase: true }),
      newUpdateRequest('run', 'api'),
    ];
    for (const request of [one, other]) {
      assert.deepEqual(parseUpdateRequest(JSON.parse(JSON.stringify(request))), request);
    }
    assert.notEqual(one.id, other.id);
    assert.ok(Math.abs(one.at - Date.now()) < 60_000);
  });
});
