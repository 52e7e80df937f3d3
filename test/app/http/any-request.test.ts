import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzzRoutes } from '../../fuzz/fuzz.ts';
import { startVictim } from '../../fuzz/fuzz-routes.ts';
import { toRequest } from '../../fuzz/request-input.ts';
import { readSeeds } from '../../fuzz/seeds.ts';

test('any request to any route is answered, and the service goes on', async () => {
  const { error, notes } = await fuzzRoutes({ seed: 7, runs: 60 });
  assert.equal(error, undefined);
  assert.match(notes, /\b200: \d+.*\b202: \d+/);
});

test('requests that broke something once do so no more', async () => {
  const victim = await startVictim();
  for (const input of readSeeds('request')) {
    await victim.send(toRequest(input, victim.serving));
  }
  await victim.stop();
});
