import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { gather } from '../../../../app/tasks/live/gather.ts';

describe('gather', () => {
  test('the first call is at once, those in the pause are one after it', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    let calls = 0;
    const { ask } = gather(
      () => calls++,
      () => 100,
    );
    ask();
    assert.equal(calls, 1);
    ask();
    ask();
    t.mock.timers.tick(99);
    assert.equal(calls, 1);
    t.mock.timers.tick(1);
    assert.equal(calls, 2);
    t.mock.timers.tick(1_000);
    assert.equal(calls, 2);
    ask();
    assert.equal(calls, 3);
  });

  test('what is asked for while it is done is done again', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    let calls = 0;
    const gathered = gather(
      () => {
        calls++;
        if (calls < 3) gathered.ask();
      },
      () => 10,
    );
    gathered.ask();
    t.mock.timers.tick(10);
    t.mock.timers.tick(10);
    t.mock.timers.tick(10);
    assert.equal(calls, 3);
  });

  test('once closed nothing is done any more', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    let calls = 0;
    const { ask, close } = gather(
      () => calls++,
      () => 10,
    );
    ask();
    ask();
    close();
    ask();
    t.mock.timers.tick(100);
    assert.equal(calls, 1);
  });
});
