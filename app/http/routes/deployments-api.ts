import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type * as z from 'zod';
import { deploymentBody } from '../../api/deployment-requests.ts';
import { findConfigured } from '../../domain/configured-unit.ts';
import type { ManualDeployments } from '../../tasks/manual-deployments.ts';
import type { AdminGate } from '../admin-gate.ts';
import { admitAdmins } from '../admin-scope.ts';
import { describeAsker } from '../describe-asker.ts';
import { refuseOtherMethods } from '../method-not-allowed.ts';
import { sendFailure } from '../problem-reply.ts';
import { acceptJsonBodies, readBy } from '../read-json-body.ts';

type Parts = {
  /** The units that may be deployed. */
  readonly units: readonly string[];
  readonly deployments: ManualDeployments;
  readonly gate: AdminGate;
};

const URL = '/api/deployments';

/** `POST /api/deployments`: a deployment at a person's word, or the plan of one; for admins only. */
export function registerDeploymentsApi(app: FastifyInstance, parts: Parts): void {
  const { gate } = parts;
  void app.register((scope, _options, done) => {
    admitAdmins(scope, gate, () => 'deployments-api');
    acceptJsonBodies(scope);
    scope.post(URL, (request, reply) => {
      const body = readBy(deploymentBody, request.body ?? {});
      return 'plan_id' in body
        ? carryOut(parts, body, request, reply)
        : begin(parts, body, request, reply);
    });
    refuseOtherMethods(scope, URL, 'POST', 'deployments-api');
    done();
  });
}

type Body = z.output<typeof deploymentBody>;

async function carryOut(
  { deployments }: Parts,
  body: Extract<Body, { plan_id: string }>,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<unknown> {
  request.note.meta = { plan: body.plan_id };
  const started = await deployments.carryOut(body.plan_id, describeAsker(request, body.reason));
  if (!started.ok) return sendFailure(request, reply, started.failure);
  request.note.taskId = started.value;
  return reply.code(202).send({ task_id: started.value });
}

async function begin(
  { units, deployments }: Parts,
  body: Exclude<Body, { plan_id: string }>,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<unknown> {
  const { version, dry_run: isDry, reason } = body;
  request.note.meta = { unit: body.unit, version: version ?? null, dry_run: isDry };
  const found = findConfigured(units, body.unit);
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
