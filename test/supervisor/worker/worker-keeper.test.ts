import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import type { UpdateRequest } from '../../../shared/contract/update-request.ts';
import { WorkerKeeper } from '../../../supervisor/worker/worker-keeper.ts';
import { keepLog } from '../../helpers/log-lines.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';
import { until } from '../../helpers/until.ts';
import { keepEvents, makeSocket, shell } from './worker-fixture.ts';

const LIMIT_MS = 10_000;
const READY = '{"kind":"worker-ready","version":"1.2.3","schema":4}';
const STATUS = { change: 7 } as never;

type Options = { readonly isForeign?: boolean; readonly words?: readonly string[] };

/** A keeper of workers that are shell scripts; each finds a file to write to in `$SAID`. */
async function keep(context: TestContext, script: string, options: Options = {}) {
  const said = join(makeTempFolder(context), 'said');
  const socketFd = await makeSocket(context);
  const { log, lines } = keepLog();
  const { events, told } = keepEvents();
  const requests: UpdateRequest[] = [];
  const seen = { idle: 0 };
  const keeper = new WorkerKeeper({
    command: () => {
      const { args, ...rest } = shell(script, { SAID: said });
      return { ...rest, args: [...args, ...(options.words ?? [])] };
    },
    isForeign: options.isForeign ?? false,
    socketFd,
    log,
    status: () => STATUS,
    hasAsked: () => true,
    onEvent: (event) => events.push(event),
    onIdle: () => seen.idle++,
    onRequest: (request) => requests.push(request),
  });
  context.after(() => keeper.kill());
  const heard = (count: number) =>
    until(`${count} lines`, LIMIT_MS, () => {
      const found = readFileSync(said, { encoding: 'utf8', flag: 'a+' }).split('\n').slice(0, -1);
      return found.length >= count && found;
    });
  return { keeper, events, told, requests, seen, lines, heard };
}

/** Writes what it is told to the file, line by line. */
const LISTEN = 'while read -r line; do printf "%s\\n" "$line" >> "$SAID"; done <&4';

const request = (id: string) =>
  `echo '${JSON.stringify({ kind: 'update-request', request: { id, command: 'run' } })}' >&4`;

const answer = (id: string) => ({ id, txn: 'upd_1', failure: null, status: null });

describe('the keeper of the worker', { concurrency: true }, () => {
  for (const [title, isForeign, isOnTrial, words] of [
    ['a worker is told of the socket', false, false, ['--listen-fd', '3']],
    ['a worker on trial is told so', false, true, ['--listen-fd', '3', '--trial']],
    ['another program is given no options of ours', true, true, []],
  ] as const) {
    test(title, async (t) => {
      const script = 'printf "%s\\n" "$@" >> "$SAID"';
      const { keeper, heard } = await keep(t, script, { isForeign, words: ['sh', 'first'] });
      keeper.start(isOnTrial);
      assert.deepEqual(await heard(1 + words.length), ['first', ...words]);
    });
  }

  test('there is one worker, and another only after its end', async (t) => {
    const { keeper, events, told, heard } = await keep(t, 'echo $$ >> "$SAID"; exec sleep 600');
    keeper.start(false);
    keeper.start(false);
    await told('worker-spawned');
    await heard(1);
    keeper.start(false);
    keeper.signal('SIGTERM');
    await told('worker-exited');
    keeper.start(false);
    await heard(2);
    await told('worker-spawned', 2);
    assert.equal(events.filter(({ kind }) => kind === 'worker-spawned').length, 2);
  });

  test('one that is ready is told how updates stand', async (t) => {
    const { keeper, heard } = await keep(t, `echo '${READY}' >&4; ${LISTEN}`);
    keeper.start(false);
    assert.deepEqual((await heard(1)).map(parse), [{ kind: 'update-status', status: STATUS }]);
  });

  test('one that is idle is heard', async (t) => {
    const { keeper, seen, told } = await keep(t, `echo '{"kind":"worker-idle"}' >&4; cat <&4`);
    keeper.start(false);
    await told('worker-spawned');
    await until('idle', LIMIT_MS, () => seen.idle === 1);
  });

  test('a request over the channel is answered there, once; one from elsewhere is not', async (t) => {
    const { keeper, requests, heard } = await keep(t, `${request('one')}; ${LISTEN}`);
    keeper.start(false);
    await until('the request', LIMIT_MS, () => requests.length === 1);
    assert.deepEqual([requests[0]?.id, requests[0]?.command], ['one', 'run']);
    assert.equal(keeper.answer(answer('elsewhere')), false);
    assert.equal(keeper.answer(answer('one')), true);
    assert.equal(keeper.answer(answer('one')), false);
    keeper.send({ kind: 'proceed' });
    assert.deepEqual((await heard(2)).map(parse), [
      { kind: 'update-answer', answer: answer('one') },
      { kind: 'proceed' },
    ]);
  });

  test('an answer to one that has died is lost, and nothing else is', async (t) => {
    const { keeper, requests, told } = await keep(t, `${request('one')}; read line <&4`);
    keeper.start(false);
    await until('the request', LIMIT_MS, () => requests.length === 1);
    keeper.kill();
    await told('worker-exited');
    assert.equal(keeper.answer(answer('one')), true);
    keeper.send({ kind: 'pause' });
  });

  test('before there is a worker nothing can be told', async (t) => {
    const { keeper } = await keep(t, '');
    keeper.signal('SIGTERM');
    keeper.kill();
    keeper.send({ kind: 'pause' });
    assert.equal(keeper.answer(answer('one')), false);
  });

  test('of messages that are none the first, the tenth and the hundredth are logged', async (t) => {
    const script = `n=0; while [ $n -lt 250 ]; do echo '{"kind":"other"}'; n=$((n+1)); done >&4
      echo '${READY}' >&4; exec sleep 600`;
    const { keeper, told, lines, requests } = await keep(t, script);
    keeper.start(false);
    await told('worker-ready');
    const counts = lines.filter(({ level }) => level === 40).map(({ count }) => count);
    assert.deepEqual([counts, requests], [[1, 10, 100], []]);
  });

  test('exit code 10 is put to whoever knows of requests', async (t) => {
    const { keeper, told } = await keep(t, 'exit 10');
    keeper.start(false);
    const exited = await told('worker-exited');
    assert.equal(exited.kind === 'worker-exited' && exited.adopted, true);
  });
});

function parse(line: string): unknown {
  return JSON.parse(line);
}
