import * as z from 'zod';
import { REFUSALS, type RefusalReason } from '../domain/unit-triggers.ts';
import { type Answer, failureView, moment } from './answer.ts';

const [first, ...rest] = Object.keys(REFUSALS) as RefusalReason[];
const reason = z.enum([first as RefusalReason, ...rest, 'out-of-scope']);
const right = z
  .strictObject({ allowed: z.boolean(), reason: reason.nullable() })
  .meta({ id: 'UnitRight' });

const sessionUnitView = z
  .strictObject({
    unit: z.string(),
    deploy: right.describe('The caller may have it deployed by its name.'),
    deploy_all: right.describe('It is among those that are deployed all at once.'),
    webhook: right.describe('A signed delivery may have it deployed.'),
    schedule: right.describe('The clock may.'),
  })
  .meta({ id: 'SessionUnit' });

/** What a caller may do at all: to look, to have units deployed, to change what is kept and how, to update the program. */
export const CALLER_RIGHTS = ['read', 'deploy', 'manage', 'self-update'] as const;

/** Who calls, how that is known, and what that caller may do. */
export const sessionView = z
  .strictObject({
    caller: z
      .string()
      .nullable()
      .describe(
        '`token:NAME`, `session:NAME`, `person:NAME` or `cli:USER`; null: nobody that is known.',
      ),
    recognised_by: z
      .enum(['token', 'session', 'forward-auth', 'local-socket', 'open'])
      .nullable()
      .describe('By what the caller is known; null: it is not.'),
    refusal: failureView.nullable().describe('Why the caller is not known, and what to do.'),
    scopes: z.array(z.string()).describe('`read`, `admin`, `deploy:*`, or `deploy:UNIT` for each.'),
    ends_at: moment.nullable().describe('When that ends at the latest; null: not by itself.'),
    may: z.array(z.enum(CALLER_RIGHTS)),
    units: z
      .array(sessionUnitView)
      .describe('Every known unit; for who may not look, those that the caller may have deployed.'),
  })
  .meta({ id: 'Session' });
/** Who calls, how that is known, and what that caller may do. */
export type SessionView = Answer<typeof sessionView>;

/** Body of `POST /api/session`. */
export const signInBody = z.strictObject({ token: z.string().min(1).max(4096) });
