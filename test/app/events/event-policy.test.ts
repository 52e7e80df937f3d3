import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { NewEvent } from '../../../app/db/event-row.ts';
import { filterEvents } from '../../../app/events/event-policy.ts';
import { someEvent } from '../../helpers/events.ts';

const health = (status: number, failing = '', over: Partial<NewEvent> = {}) =>
  someEvent({ action: 'health', path: '/health', status, meta: failing || null, ...over });

/** The statuses, and what was wrong, of those that were let through. */
function letThrough(events: readonly NewEvent[], excluded = ['health', 'static']): string[] {
  const seen: string[] = [];
  const filter = filterEvents(
    { record: ({ status, meta }) => void seen.push(`${status}${meta ?? ''}`) },
    excluded,
  );
  for (const event of events) filter.record(event);
  return seen;
}

describe('what is worth an event', () => {
  test('a health check that goes well is not', () =>
    assert.deepEqual(letThrough([health(200), health(200)]), []));

  test('of one that fails each change of the answer is, and not each repetition', () =>
    assert.deepEqual(
      letThrough([
        health(200),
        ...[health(503, 'a'), health(503, 'a'), health(503, 'a')],
        ...[health(503, 'b'), health(503, 'b')],
        ...[health(200), health(200)],
        health(503, 'b'),
      ]),
      ['503a', '503b', '200', '503b'],
    ));

  test('each path has answers of its own', () =>
    assert.deepEqual(
      letThrough([health(503, 'a'), health(503, 'a', { path: '/health/self' }), health(503, 'a')]),
      ['503a', '503a'],
    ));

  test('a health check with a wrong method is, each time', () => {
    const wrong = health(405, '', { method: 'POST' });
    assert.deepEqual(letThrough([wrong, wrong]), ['405', '405']);
  });

  test('a file of the user interface is where it fails, each time', () => {
    const file = (status: number) => someEvent({ action: 'static', status });
    assert.deepEqual(letThrough([file(200), file(304), file(404), file(404), file(500)]), [
      '404',
      '404',
      '500',
    ]);
  });

  test('everything else is', () => assert.deepEqual(letThrough([someEvent()]), ['200']));

  test('everything is where nothing is left out', () =>
    assert.deepEqual(
      letThrough([health(200), health(503, 'a'), health(503, 'a'), someEvent()], []),
      ['200', '503a', '503a', '200'],
    ));

  test('what is not named is', () =>
    assert.deepEqual(letThrough([health(200), someEvent({ action: 'static' })], ['static']), [
      '200',
    ]));
});
