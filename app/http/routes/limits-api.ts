import type { FastifyInstance } from 'fastify';
import {
  type LimitsView,
  limitedAddressParams,
  limitReleaseView,
  limitsView,
} from '../../api/limit-views.ts';
import type { AdminGate } from '../admin-gate.ts';
import { sendFailure } from '../problem-reply.ts';
import { route, serveRoutes } from '../serve-routes.ts';

type Parts = {
  readonly gate: AdminGate;
  readonly view: () => LimitsView;
  /** Forgets what was counted of an address, as the list has it; how many kinds of credentials that was. */
  readonly releaseAddress: (address: string) => number;
  /** The same for the old path; how many calls. */
  readonly releaseAutoUpdate: () => number;
};

/** `/api/limits`: what is let through how often, and who is not let through now. */
export function registerLimitsApi(
  app: FastifyInstance,
  { gate, view, releaseAddress, releaseAutoUpdate }: Parts,
): void {
  serveRoutes(app, { action: 'limits-api', gate }, [
    route(
      {
        method: 'GET',
        url: '/api/limits',
        needs: 'read',
        summary: 'Every limit, and how much of it is used.',
        answers: { 200: limitsView },
      },
      () => view(),
    ),
    route(
      {
        method: 'DELETE',
        url: '/api/limits/addresses/:address',
        needs: 'admin',
        summary: 'Lets an address show credentials again.',
        about: 'The address is one of the list; `*` stands for what is counted of all together.',
        params: limitedAddressParams,
        answers: { 200: limitReleaseView },
        refusals: ['LIMIT_NOT_FOUND'],
      },
      ({ params: { address } }, request, reply) => {
        const released = releaseAddress(address);
        request.note.meta = { address, released };
        if (released > 0) return { name: address, released };
        return sendFailure(request, reply, { code: 'LIMIT_NOT_FOUND', detail: `${address}.` });
      },
    ),
    route(
      {
        method: 'DELETE',
        url: '/api/limits/auto-update',
        needs: 'admin',
        summary: 'Lets POST /auto-update through again.',
        answers: { 200: limitReleaseView },
      },
      (_given, request) => {
        const released = releaseAutoUpdate();
        request.note.meta = { released };
        return { name: 'auto-update', released };
      },
    ),
  ]);
}
