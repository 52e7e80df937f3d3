import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  comparePlans,
  median,
  type PlanFacts,
  planSteps,
} from '../../../app/domain/deployment-plan.ts';
import { policyDefaults } from '../../../app/domain/unit-policy.ts';
import { DEPLOY_SETTINGS } from '../../helpers/deploy-settings.ts';

const DIGEST = `sha256:${'0a'.repeat(32)}`;
const FACTS: PlanFacts = {
  unit: 'web.service',
  restartUnit: 'web.service',
  image: { registry: 'ghcr.io', repository: 'o/web', tag: 'stable' },
  digest: DIGEST,
  heldHere: null,
  writeImage: null,
  policy: policyDefaults(DEPLOY_SETTINGS),
  running: { digest: 'sha256:old', image: 'ghcr.io/o/web:stable' },
  isWantedRunning: false,
  isStopped: false,
  former: { imageId: 'i1', heldAs: 'localhost/podup/rollback:web.service-3', isNew: true },
  dependents: ['front.service'],
  obstacle: null,
};

describe('the plan of a deployment', () => {
  test('lists every command in its order, what is restarted, and what has to be proven', () => {
    const plan = planSteps(FACTS);
    assert.equal(plan.outcome, 'deploy');
    assert.deepEqual(plan.commands, [
      ['podman', 'pull', '--quiet', '--', `ghcr.io/o/web@${DIGEST}`],
      ['podman', 'tag', 'i1', 'localhost/podup/rollback:web.service-3'],
      ['podman', 'tag', `ghcr.io/o/web@${DIGEST}`, 'ghcr.io/o/web:stable'],
      ['systemctl', '--user', 'reset-failed', '--', 'web.service'],
      ['systemctl', '--user', 'restart', '--', 'web.service'],
    ]);
    assert.deepEqual(plan.restarts, ['web.service', 'front.service']);
    assert.deepEqual(plan.proof.length, 4);
    assert.equal(plan.writes, null);
    const writing = planSteps({ ...FACTS, writeImage: 'ghcr.io/o/web:2' });
    assert.equal(writing.writes, 'Image=ghcr.io/o/web:2');
  });

  test('restarts the unit of a pod in place of the unit', () => {
    const plan = planSteps({ ...FACTS, restartUnit: 'pod.service', dependents: ['web.service'] });
    assert.deepEqual(plan.commands.slice(-2), [
      ['systemctl', '--user', 'reset-failed', '--', 'web.service', 'pod.service'],
      ['systemctl', '--user', 'restart', '--', 'pod.service'],
    ]);
    assert.deepEqual(plan.restarts, ['pod.service', 'web.service']);
  });

  test('neither pulls what is here nor holds twice what is held', () => {
    const heldHere = 'localhost/podup/rollback:web.service-1';
    const former = { imageId: 'i1', heldAs: 'x', isNew: false };
    const plan = planSteps({ ...FACTS, heldHere, former });
    assert.deepEqual(plan.commands[0], ['podman', 'tag', heldHere, 'ghcr.io/o/web:stable']);
  });

  for (const [title, facts, outcome, verbs] of [
    ['what runs already', { isWantedRunning: true }, 'nothing', []],
    ['what is in quarantine', { obstacle: { why: 'Bad.', notBeforeMs: null } }, 'nothing', []],
    ['what is too new', { obstacle: { why: 'New.', notBeforeMs: 7 } }, 'wait', []],
    ['a stage', { policy: { ...FACTS.policy, mode: 'stage' } }, 'only-pull', ['pull']],
    ['a stopped unit', { isStopped: true }, 'ready-for-next-start', ['pull', 'tag', 'tag']],
  ] as const) {
    test(`${title}: ${outcome}`, () => {
      const plan = planSteps({ ...FACTS, ...facts });
      assert.equal(plan.outcome, outcome);
      assert.deepEqual(
        plan.commands.map(([, verb]) => verb),
        verbs,
      );
      assert.deepEqual([plan.restarts, plan.proof], [[], []]);
    });
  }

  test('that is the same has no difference, and each one that there is is named', () => {
    const plan = planSteps(FACTS);
    assert.deepEqual(comparePlans(plan, planSteps(FACTS)), []);
    const now = planSteps({ ...FACTS, dependents: [], running: null });
    assert.deepEqual(
      comparePlans(plan, now).map(({ field }) => field),
      ['running_digest', 'running_image', 'restarts'],
    );
    const [first] = comparePlans(plan, now);
    assert.deepEqual([first?.planned, first?.now], ['sha256:old', null]);
  });

  test('expects what was in the middle before', () => {
    assert.deepEqual([[], [3], [4, 2], [9, 1, 5]].map(median), [null, 3, 3, 5]);
  });
});
