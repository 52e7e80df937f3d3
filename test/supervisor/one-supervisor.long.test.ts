import { test } from 'node:test';
import { contest } from './contest.ts';

test('of two supervisors on one state directory one acts, fifty times in a row', (t) =>
  contest(t, 50));
