import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createTimers } from '../../../supervisor/loop/timers.ts';

describe('createTimers', () => {
  test('each clock tells by its name, in its own time, once', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const fired: string[] = [];
    const timers = createTimers<'a' | 'b'>((name) => fired.push(name));
    timers.set('a', 20);
    timers.set('b', 10);
    t.mock.timers.tick(10);
    assert.deepEqual(fired, ['b']);
    t.mock.timers.tick(1_000);
    assert.deepEqual(fired, ['b', 'a']);
  });

  test('setting one again replaces it, also from within its own ring', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const fired: string[] = [];
    const timers = createTimers<'a'>((name) => {
      fired.push(name);
      if (fired.length < 3) timers.set('a', 10);
    });
    timers.set('a', 5);
    timers.set('a', 10);
    t.mock.timers.tick(9);
    assert.deepEqual(fired, []);
    for (const ms of [1, 10, 10, 10]) t.mock.timers.tick(ms);
    assert.deepEqual(fired, ['a', 'a', 'a']);
  });

  test('one that is cleared is silent, and so are all', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const fired: string[] = [];
    const timers = createTimers<'a' | 'b' | 'c'>((name) => fired.push(name));
    for (const name of ['a', 'b', 'c'] as const) timers.set(name, 10);
    timers.clear('a');
    timers.clear('a');
    t.mock.timers.tick(5);
    timers.clearAll();
    t.mock.timers.tick(100);
    assert.deepEqual(fired, []);
  });
});
