import assert from 'node:assert/strict';
import {
  appendFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import type { UpdateRequest } from '../../../shared/contract/update-request.ts';
import { type Files, realFiles } from '../../../shared/fs/files.ts';
import { openInbox } from '../../../supervisor/inbox/request-inbox.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';
import { until } from '../../helpers/until.ts';

const LIMIT_MS = 5_000;

/** An inbox in a folder of its own; what it hands over, and how often it told of a broken file. */
function open(context: TestContext, files: Partial<Files> = {}, folder = makeTempFolder(context)) {
  const paths = {
    updateRequest: join(folder, 'update-request.json'),
    updateAnswersDir: join(folder, 'update-answers'),
  };
  const requests: UpdateRequest[] = [];
  const seen = { broken: 0 };
  const inbox = openInbox(
    paths,
    { ...realFiles, ...files },
    (request) => requests.push(request),
    () => seen.broken++,
  );
  context.after(() => inbox.close());
  const arrived = (count: number) =>
    until(`request ${count}`, LIMIT_MS, () => requests.length >= count);
  const ids = () => requests.map(({ id }) => id);
  return { inbox, folder, paths, requests, ids, arrived, seen };
}

type Opened = ReturnType<typeof open>;

/** Puts a request as our own programs do: whole, and in nobody's place. */
function ask({ folder, paths }: Opened, id: string, more: Partial<UpdateRequest> = {}) {
  const aside = join(folder, `${id}.tmp`);
  writeFileSync(aside, JSON.stringify({ id, command: 'status', ...more }));
  linkSync(aside, paths.updateRequest);
}

const answer = (id: string) => ({ id, txn: null, failure: null, status: null });
const answersIn = ({ paths }: Opened) => readdirSync(paths.updateAnswersDir);
const refuse = (code: string) => () => {
  throw Object.assign(new Error(`${code}: no`), { code });
};

describe('the request inbox', () => {
  test('hands a request over once, however often it looks', async (t) => {
    const opened = open(t);
    ask(opened, 'one', { command: 'run', pid: 7 });
    await opened.arrived(1);
    opened.inbox.look();
    appendFileSync(opened.paths.updateRequest, ' ');
    opened.inbox.look();
    assert.deepEqual(opened.ids(), ['one']);
    assert.equal(opened.requests[0]?.pid, 7);
  });

  test('writes the answer, then takes the request away', (t) => {
    const removed: string[] = [];
    const opened = open(t, {
      unlink: (path) => {
        if (path === opened.paths.updateRequest) removed.push(...answersIn(opened));
        realFiles.unlink(path);
      },
    });
    ask(opened, 'one');
    opened.inbox.look();
    assert.equal(opened.inbox.answer({ ...answer('one'), txn: 'upd_1' }), true);
    assert.deepEqual(removed, ['one.json']);
    const written = readFileSync(join(opened.paths.updateAnswersDir, 'one.json'), 'utf8');
    assert.deepEqual(JSON.parse(written), { ...answer('one'), txn: 'upd_1' });
    assert.equal(existsSync(opened.paths.updateRequest), false);
  });

  test('answers nobody who did not ask here, nor twice', (t) => {
    const opened = open(t);
    assert.equal(opened.inbox.answer(answer('other')), false);
    ask(opened, 'one');
    opened.inbox.look();
    assert.equal(opened.inbox.answer(answer('one')), true);
    assert.equal(opened.inbox.answer(answer('one')), false);
    assert.deepEqual(answersIn(opened), ['one.json']);
  });

  test('takes the same id again as a request of its own, once it was answered', async (t) => {
    const opened = open(t);
    for (const count of [1, 2]) {
      rmSync(join(opened.folder, 'one.tmp'), { force: true });
      ask(opened, 'one');
      await opened.arrived(count);
      assert.equal(opened.inbox.answer(answer('one')), true);
    }
    assert.deepEqual(opened.ids(), ['one', 'one']);
  });

  test('a second request waits for its turn, and is taken without anybody telling', async (t) => {
    const opened = open(t);
    ask(opened, 'one');
    opened.inbox.look();
    assert.throws(() => ask(opened, 'two'), /EEXIST/);
    // Whoever is in a hurry replaces it; then it must not be taken for the answered one.
    rmSync(opened.paths.updateRequest);
    linkSync(join(opened.folder, 'two.tmp'), opened.paths.updateRequest);
    opened.inbox.answer(answer('one'));
    assert.equal(existsSync(opened.paths.updateRequest), true);
    await opened.arrived(2);
    assert.deepEqual(opened.ids(), ['one', 'two']);
  });

  test('the next request is taken at once, also where nothing tells of it', async (t) => {
    const opened = open(t, {}, join(makeTempFolder(t), 'missing'));
    mkdirSync(opened.folder);
    ask(opened, 'one');
    opened.inbox.look();
    rmSync(opened.paths.updateRequest);
    ask(opened, 'two');
    opened.inbox.answer(answer('one'));
    await opened.arrived(2);
  });

  test('a request from before is found at the start, and so is one between look and watch', async (t) => {
    const folder = makeTempFolder(t);
    writeFileSync(join(folder, 'update-request.json'), '{"id":"before","command":"status"}');
    const opened = open(t, {}, folder);
    opened.inbox.look();
    assert.deepEqual(opened.ids(), ['before']);
    opened.inbox.answer(answer('before'));
    // The watch has been there since the inbox was opened.
    ask(opened, 'after');
    await opened.arrived(2);
  });

  test('a request that no event told of is found by the sweep', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    const opened = open(t, {}, join(makeTempFolder(t), 'missing'));
    mkdirSync(opened.folder);
    ask(opened, 'one');
    assert.deepEqual(opened.ids(), []);
    t.mock.timers.tick(60_000);
    assert.deepEqual(opened.ids(), ['one']);
  });

  test('is silent once it is closed', async (t) => {
    const opened = open(t);
    const other = open(t, {}, opened.folder);
    opened.inbox.close();
    ask(opened, 'one');
    await other.arrived(1);
    assert.deepEqual(opened.ids(), []);
  });
});

describe('the request inbox: files that are no request', () => {
  const ROWS: readonly [string, string][] = [
    ['no JSON', 'update, please'],
    ['no request', '{"id":"one"}'],
    ['an id that is none', '{"id":"../../x","command":"run"}'],
    ['too large', JSON.stringify({ id: 'one', command: 'run', x: 'x'.repeat(16_384) })],
  ];
  for (const [title, content] of ROWS) {
    test(`${title}: is removed and told`, (t) => {
      const opened = open(t);
      writeFileSync(opened.paths.updateRequest, content);
      opened.inbox.look();
      assert.deepEqual([opened.ids(), opened.seen.broken], [[], 1]);
      assert.equal(existsSync(opened.paths.updateRequest), false);
      opened.inbox.look();
      assert.equal(opened.seen.broken, 1);
    });
  }

  test('one that is empty is given time: whoever made it may be about to write', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    const opened = open(t);
    writeFileSync(opened.paths.updateRequest, '');
    opened.inbox.look();
    assert.equal(existsSync(opened.paths.updateRequest), true);
    appendFileSync(opened.paths.updateRequest, '{"id":"one","command":"run"}');
    opened.inbox.look();
    assert.deepEqual(opened.ids(), ['one']);
    opened.inbox.answer(answer('one'));
    writeFileSync(opened.paths.updateRequest, '');
    t.mock.timers.tick(60_000);
    assert.equal(existsSync(opened.paths.updateRequest), false);
    assert.equal(opened.seen.broken, 1);
  });

  test('a folder in its place is told of, and ends nothing', (t) => {
    const opened = open(t);
    mkdirSync(opened.paths.updateRequest);
    opened.inbox.look();
    assert.deepEqual([opened.ids(), opened.seen.broken], [[], 1]);
  });
});

describe('the request inbox: a disk that refuses', () => {
  test('an answer that cannot be written changes nothing else', (t) => {
    const opened = open(t);
    writeFileSync(opened.paths.updateAnswersDir, 'in the way');
    ask(opened, 'one');
    opened.inbox.look();
    assert.equal(opened.inbox.answer(answer('one')), true);
    assert.equal(existsSync(opened.paths.updateRequest), false);
  });

  test('a request that cannot be taken away is not taken for a new one', async (t) => {
    const opened = open(t, { unlink: refuse('EROFS') });
    ask(opened, 'one');
    opened.inbox.look();
    assert.equal(opened.inbox.answer(answer('one')), true);
    await new Promise(setImmediate);
    opened.inbox.look();
    assert.deepEqual(opened.ids(), ['one']);
  });

  test('a request that cannot be read is told of', (t) => {
    const opened = open(t, { read: refuse('EIO') });
    ask(opened, 'one');
    opened.inbox.look();
    assert.deepEqual([opened.ids(), opened.seen.broken], [[], 1]);
  });
});

describe('the request inbox: answers', () => {
  test('are the fifty newest: those of this process stay longest', async (t) => {
    const opened = open(t);
    mkdirSync(opened.paths.updateAnswersDir);
    // In the order of the alphabet these come last.
    for (let n = 10; n < 60; n++) {
      writeFileSync(join(opened.paths.updateAnswersDir, `z${n}.json`), '{}');
    }
    const round = async (id: string, count: number) => {
      ask(opened, id);
      await opened.arrived(count);
      opened.inbox.answer(answer(id));
    };
    await round('b', 1);
    await round('a', 2);
    const names = answersIn(opened);
    assert.equal(names.length, 50);
    assert.deepEqual(names.slice(0, 3), ['a.json', 'b.json', 'z12.json']);
    for (let n = 3; n < 53; n++) await round(`m${n}`, n);
    const later = answersIn(opened);
    assert.equal(later.length, 50);
    // The oldest of this process went last, and the one before it first.
    assert.deepEqual(
      [later.includes('b.json'), later.includes('a.json'), later.includes('m52.json')],
      [false, false, true],
    );
    await round('m52', 53);
    assert.equal(answersIn(opened).length, 50);
  });
});

describe('hasAsked', () => {
  test('knows who asked, also of a request that no event has told of yet', (t) => {
    const opened = open(t);
    ask(opened, 'one', { pid: 4711 });
    assert.equal(opened.inbox.hasAsked(4711), true);
    assert.equal(opened.inbox.hasAsked(4712), false);
    opened.inbox.answer(answer('one'));
    assert.equal(opened.inbox.hasAsked(4711), true);
  });

  test('remembers the last twenty, and nobody who gave no number', (t) => {
    const opened = open(t);
    for (let pid = 1; pid <= 21; pid++) {
      ask(opened, `a${pid}`, { pid });
      opened.inbox.look();
      opened.inbox.answer(answer(`a${pid}`));
    }
    ask(opened, 'nobody');
    const known = [1, 2, 21].map((pid) => opened.inbox.hasAsked(pid));
    assert.deepEqual(known, [false, true, true]);
  });
});
