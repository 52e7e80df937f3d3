import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type * as z from 'zod';
import { deploymentBody } from '../../api/deployment-requests.ts';
import { type PlanView, planView, startedTaskView } from '../../api/deployment-views.ts';
import type { ManualDeployments } from '../../tasks/manual-deployments.ts';
import type { KnownUnits } from '../../units/known-units.ts';
import type { AdminGate } from '../admin-gate.ts';
import { describeAsker } from '../describe-asker.ts';
import { sendFailure } from '../problem-reply.ts';
import { deployRoute, serveRoutes } from '../serve-routes.ts';

type Parts = {
  readonly known: Pick<KnownUnits, 'choose'>;
  readonly deployments: ManualDeployments;
  readonly gate: AdminGate;
};

const URL = '/api/deployments';

/** `POST /api/deployments`: a deployment at a person's word, or the plan of one; for admins only. */
export function registerDeploymentsApi(app: FastifyInstance, parts: Parts): void {
  serveRoutes(app, { action: 'deployments-api', gate: parts.gate }, [
    deployRoute(
      {
        method: 'POST',
        url: URL,
        summary: 'Deploys a unit, tells what that would do (200), or carries out what was told.',
        body: deploymentBody,
        answers: { 200: planView, 202: startedTaskView },
        refusals: ['UNIT_NOT_CONFIGURED'],
        fails: true,
      },
      ({ body }) => {
        if (!('plan_id' in body)) return [body.unit];
        const unit = parts.deployments.unitOfPlan(body.plan_id);
        return unit === undefined ? undefined : [unit];
      },
      ({ body }, request, reply) =>
        'plan_id' in body
          ? carryOut(parts, body, request, reply)
          : begin(parts, body, request, reply),
    ),
  ]);
}

type Body = z.output<typeof deploymentBody>;

async function carryOut(
  { deployments }: Parts,
  body: Extract<Body, { plan_id: string }>,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply | PlanView> {
  request.note.meta = { plan: body.plan_id };
  const started = await deployments.carryOut(body.plan_id, describeAsker(request, body.reason));
  if (!started.ok) return sendFailure(request, reply, started.failure);
  request.note.taskId = started.value;
  return reply.code(202).send({ task_id: started.value });
}

async function begin(
  { known, deployments }: Parts,
  body: Exclude<Body, { plan_id: string }>,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply | PlanView> {
  const { version, dry_run: isDry, reason } = body;
  request.note.meta = { unit: body.unit, version: version ?? null, dry_run: isDry };
  const found = known.choose('person', body.unit);
  if (!found.ok) return sendFailure(request, reply, found.failure);
  const unit = found.value;
  if (!isDry) {
    const task_id = deployments.start({ unit, version, ...describeAsker(request, reason) });
    request.note.taskId = task_id;
    return reply.code(202).send({ task_id });
  }
  const plan = await deployments.plan({ unit, version });
  return plan.ok ? plan.value : sendFailure(request, reply, plan.failure);
}
