import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  BACK_ATTEMPTS,
  decideResumption,
  FORWARD_ATTEMPTS,
  isBlamed,
  longestDeploymentMs,
} from '../../../app/domain/deployment.ts';
import { decideLost } from '../../../app/domain/task.ts';
import { ERRORS, isErrorCode } from '../../../shared/contract/error-codes.ts';

const LAST = FORWARD_ATTEMPTS;
const ROWS = [
  [undefined, 1, 'begin'],
  [undefined, LAST + 1, 'begin'],
  ['ended', 1, 'begin'],
  ['ended', LAST + 1, 'begin'],
  ['forward', 1, 'forward'],
  ['forward', LAST, 'forward'],
  ['forward', LAST + 1, 'back'],
  ['back', 1, 'back'],
  ['back', LAST, 'back'],
  ['back', LAST + BACK_ATTEMPTS, 'back'],
] as const;
for (const [stage, attempt, expected] of ROWS)
  test(`attempt ${attempt} at a deployment that left ${stage ?? 'nothing'}: ${expected}`, () =>
    assert.equal(decideResumption(stage, attempt), expected));

test('a unit that was touched gets all its attempts: three on, three back', () => {
  const attempts: string[] = [];
  for (let attempt = 1; attempt < 100; attempt++) {
    attempts.push(decideResumption('forward', attempt));
    if (decideLost(attempt, true) === 'close') break;
  }
  assert.deepEqual(attempts, ['forward', 'forward', 'forward', 'back', 'back', 'back']);
});

describe('a failure', () => {
  const BLAMED = [
    ...['RESTART_FAILED', 'RESTART_TIMEOUT', 'CONTAINER_NOT_RUNNING'],
    ...['GATE_UNIT_DOWN', 'GATE_UNIT_RESTARTED', 'GATE_UNHEALTHY', 'GATE_PROBE_FAILED'],
    ...['GATE_LOG_FORBIDDEN', 'GATE_LOG_MISSING', 'DEPENDENTS_DOWN'],
  ];
  for (const code of BLAMED)
    test(`${code} is the fault of the image`, () => {
      assert.ok(isErrorCode(code));
      assert.equal(isBlamed(code), true);
    });

  const others = Object.keys(ERRORS).filter(isErrorCode);
  test('of another kind is not', () => {
    const blamed = others.filter((code) => !BLAMED.includes(code)).filter(isBlamed);
    assert.deepEqual(blamed, []);
  });

  test('at the gate is always the fault of the image, also one that is new', () => {
    const forgiven = others.filter((code) => code.startsWith('GATE_')).filter((c) => !isBlamed(c));
    assert.deepEqual(forgiven, []);
  });
});

test('the longest deployment is longer than all its limits, forwards and twice back', () => {
  const limits = { pullTimeoutMs: 1_000, restartTimeoutMs: 100 };
  const proofMs = 2 * 3_600_000;
  assert.equal(longestDeploymentMs(limits), 3 * 1_000 + 3 * (2 * 100 + proofMs));
});
