import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { startDispatcher } from './dispatcher-fixture.ts';
import { addTask, settle } from './task-fixture.ts';

describe('task dispatcher: in which order', () => {
  test('a unit with many tasks lets each other unit go before its next one', async (t) => {
    const { store, dispatcher, child, succeed, units } = startDispatcher(t, 1);
    for (const unit of ['a', 'a', 'a', 'b', 'c']) addTask(store, unit);
    dispatcher.wake();
    await settle();
    for (let ended = 0; ended < 4; ended++) {
      succeed(child.started[ended]);
      await settle();
    }
    assert.deepEqual(units(), ['a', 'b', 'c', 'a', 'a']);
  });

  test('units on one tag one after the other, without holding up those on others', async (t) => {
    const { store, dispatcher, child, succeed, units } = startDispatcher(t, 3);
    for (const [unit, image] of [
      ['a', 'i:1'],
      ['b', 'i:1'],
      ['c', 'i:2'],
    ] as const)
      addTask(store, unit, image);
    dispatcher.wake();
    await settle();
    assert.deepEqual(units(), ['a', 'c']);
    succeed(child.started[0]);
    await settle();
    assert.deepEqual(units(), ['a', 'c', 'b']);
  });

  test('the lowest instance of a template first, and the rest when it has ended', async (t) => {
    const { store, dispatcher, child, succeed, units } = startDispatcher(t, 4);
    for (const instance of [10, 2, 3]) addTask(store, `app@${instance}.service`);
    addTask(store, 'web.service');
    dispatcher.wake();
    await settle();
    assert.deepEqual(units(), ['app@2.service', 'web.service']);
    succeed(child.started[0]);
    await settle();
    succeed(child.started[2]);
    await settle();
    assert.deepEqual(units().slice(2), ['app@3.service', 'app@10.service']);
  });
});
