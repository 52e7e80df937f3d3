import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { DeployParts } from '../../../app/deploy/deploy-unit.ts';
import { goBack } from '../../../app/deploy/go-back.ts';
import type { OpenDeployment } from '../../../app/domain/deployment.ts';
import { policyDefaults, type UnitPolicy } from '../../../app/domain/unit-policy.ts';
import { fail, type Outcome, succeed } from '../../../shared/contract/outcome.ts';
import { DEPLOY_SETTINGS } from '../../helpers/deploy-settings.ts';
import { answerCommands, settle } from '../tasks/task-fixture.ts';

const DEFAULTS = policyDefaults({ ...DEPLOY_SETTINGS, deployRollback: false });
const DEPLOYMENT: OpenDeployment = {
  ...{ unit: 'web.service', image: 'ghcr.io/o/web:1', wanted_digest: 'sha256:b' },
  ...{ wanted_image_id: 'i2', restart_unit: null, write_image: null, is_brought: 0 },
  ...{ former_image_id: null, former_digest: null, held_as: null, dependents: [] },
  ...({ stage: 'back', cause_code: 'GATE_UNIT_DOWN', cause_detail: '' } as const),
};
const CAUSE = fail('GATE_UNIT_DOWN', 'It is failed.').failure;

/** Goes back with a policy that is read as `answers` say, one after the other; the last one goes on. */
async function run(context: TestContext, answers: readonly Outcome<UnitPolicy>[]) {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const phases: string[] = [];
  const ended: string[] = [];
  const left = [...answers];
  const parts = {
    ...{ run: answerCommands(() => ({})).run, defaultPolicy: DEFAULTS, hostWaits: 0 },
    readPolicy: () => Promise.resolve((left.length > 1 ? left.shift() : left[0]) ?? answers[0]),
    keepTimerOff: () => Promise.resolve(),
    memory: { end: () => ended.push('ended') },
    onPhase: (phase: string) => phases.push(phase),
    isStopping: () => false,
    limits: { restartTimeoutMs: 1_000 },
  } as unknown as DeployParts;
  const going = goBack(parts, DEPLOYMENT, { cause: CAUSE, isDiagnosed: true, isResumed: false });
  let isOver = false;
  void going.finally(() => {
    isOver = true;
  });
  for (let round = 0; round < 20 && !isOver; round++) {
    await settle();
    context.mock.timers.tick(60_000);
  }
  return { end: await going, phases, ended };
}

const away = fail('USER_MANAGER_UNAVAILABLE', 'No answer.');
const policy = (rollback: boolean) => succeed({ ...DEFAULTS, rollback });

describe('a unit whose policy cannot be read', () => {
  test('for a moment goes back as it says, and not as all units do', async (t) => {
    const { phases } = await run(t, [away, away, policy(true)]);
    assert.deepEqual(phases, ['rolling-back']);
  });

  test('for a moment is left as it is where it says so', async (t) => {
    const { phases, ended } = await run(t, [away, policy(false)]);
    assert.deepEqual([phases, ended], [[], ['ended']]);
  });

  test('at all goes back, whatever the default is', async (t) => {
    const { phases } = await run(t, [away]);
    assert.deepEqual(phases, ['rolling-back']);
  });

  test('because its host is out of reach waits, and stays open', async (t) => {
    const { end, phases, ended } = await run(t, [fail('SSH_UNREACHABLE', 'host')]);
    assert.deepEqual([end.status, phases, ended], ['deferred', [], []]);
  });

  test('because it has a fault goes by the default', async (t) => {
    const { phases, ended } = await run(t, [fail('UNIT_POLICY_INVALID', 'Soak=')]);
    assert.deepEqual([phases, ended], [[], ['ended']]);
  });
});
