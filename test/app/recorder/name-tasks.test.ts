import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { takeOver } from '../../../app/intake/take-over.ts';
import { nameTasks } from '../../../app/recorder/name-tasks.ts';
import { someEvent } from '../../helpers/events.ts';
import { spoolEntry } from '../../helpers/spool.ts';
import { openTestStore } from '../../helpers/store.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

describe('the task of an event that was about a delivery', () => {
  test('is named, also where the delivery has to be taken over first', (t) => {
    const { store } = openTestStore(t, makeTempFolder(t));
    const pending = { ...someEvent(), delivery_id: 'dlv_a' };
    let count = 0;
    const take = () => {
      count++;
      takeOver(store, [spoolEntry({ id: 'dlv_a' })], { segment: 'a', end: 1 }, { windowMs: 0 });
    };
    const [named] = nameTasks(store, [pending], take);
    assert.match(named?.task_id ?? '', /^tsk_/);
    assert.equal(named?.task_id, store.tasks.list({ limit: 1 })[0]?.id);
    nameTasks(store, [pending], take);
    assert.equal(count, 1);
  });

  test('is none where the delivery led to none, or cannot be taken over', (t) => {
    const { store } = openTestStore(t, makeTempFolder(t));
    const pending = { ...someEvent(), delivery_id: 'dlv_a' };
    assert.equal(nameTasks(store, [pending], () => undefined)[0]?.task_id, null);
  });

  test('of other events is left as it is, and nothing is taken over for them', (t) => {
    const { store } = openTestStore(t, makeTempFolder(t));
    const events = [someEvent({ task_id: 'tsk_1' }), { ...someEvent(), delivery_id: null }];
    const named = nameTasks(store, events, () => assert.fail('taken over'));
    assert.deepEqual(
      named.map(({ task_id }) => task_id),
      ['tsk_1', null],
    );
  });
});
