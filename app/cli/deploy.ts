import { EXIT, type ExitCode } from '../../shared/contract/exit-codes.ts';
import type { PlanView } from '../api/deployment-views.ts';
import type { Calling } from './call-note.ts';
import { callService } from './call-service.ts';
import { print, printJson } from './output/say.ts';
import { WAITS_FOR_SERVICE, wantsToFollow } from './output/task-words.ts';

/** Options of `deploy`. */
export type DeployOptions = {
  readonly to?: string;
  readonly dryRun?: boolean;
  readonly plan?: string;
  readonly reason?: string;
  readonly follow?: boolean;
  readonly json?: boolean;
};

/** `deploy [UNIT]`: has the service deploy a unit, tells what that would do, or carries out such a plan. */
export async function deploy(
  unit: string | undefined,
  { to: version, dryRun, plan, reason, follow, json }: DeployOptions,
  calling: Calling,
): Promise<ExitCode> {
  if ((unit === undefined) === (plan === undefined)) {
    process.stderr.write('Name a unit, or a plan with --plan.\n');
    return EXIT.usage;
  }
  const wish = plan === undefined ? { unit, version, dry_run: dryRun } : { plan_id: plan };
  const answer = await callService(calling, {
    path: '/api/deployments',
    body: { ...wish, reason },
  });
  if (!answer.isGood) return answer.exit;
  const { task_id: id } = answer.body as { readonly task_id?: string };
  if (id !== undefined) calling.note.taskId = id;
  if (dryRun || id === undefined) {
    if (json) printJson(answer.body);
    else process.stdout.write(describePlan(answer.body as PlanView));
    return EXIT.ok;
  }
  const isFollowed = !answer.isLocal && wantsToFollow({ follow, json });
  if (!json) print(`Task ${id}; pod-upgrade-trigger tasks show ${id} tells how it goes.`);
  else if (!isFollowed) printJson(answer.body);
  if (answer.isLocal && !json) print(WAITS_FOR_SERVICE);
  if (!isFollowed) return EXIT.ok;
  const { followTask } = await import('./follow-task.ts');
  return await followTask(id, { json }, calling);
}

function describePlan(plan: PlanView): string {
  const { expected_down_ms: downMs, from_deployments: count } = plan;
  const down =
    downMs === null ? 'not known yet' : `${downMs / 1000} s, as in the last ${count} deployments`;
  const lines = [
    `${plan.unit}: ${plan.outcome}. ${plan.why}`,
    `  runs    ${plan.running_image ?? 'nothing'} ${plan.running_digest ?? ''}`.trimEnd(),
    `  wanted  ${plan.image} ${plan.wanted_digest}`,
    ...plan.commands.map((argv) => `  $ ${argv.join(' ')}`),
    ...plan.restarts.map((unit) => `  restarts ${unit}`),
    ...plan.proof.map((sentence) => `  ${sentence}`),
    ...(plan.writes === null ? [] : [`  then its Quadlet file says ${plan.writes}`]),
    `  expected downtime: ${down}`,
    `Carry it out until ${plan.expires_at}: pod-upgrade-trigger deploy --plan ${plan.plan_id}`,
  ];
  return `${lines.join('\n')}\n`;
}
