import * as z from 'zod';
import { HEALTH_COMPONENTS, SEVERITIES } from '../domain/health.ts';
import { type Answer, errorCode, moment } from './answer.ts';

const component = z.enum(HEALTH_COMPONENTS);
const detail = z.exactOptional(z.string()).describe('Only for admins: what was seen, with paths.');

/** What `GET /health` says of one part. */
export const healthCheckView = z
  .strictObject({
    component,
    ok: z.boolean().describe('False where something does not work; a warning leaves it true.'),
    code: z.exactOptional(errorCode),
    message: z.exactOptional(z.string()),
    hint: z.exactOptional(z.string()),
    detail,
    checked_at: moment.nullable().describe('When it was looked at last; null: not yet.'),
  })
  .meta({ id: 'HealthCheck' });
/** What `GET /health` says of one part. */
export type HealthCheckView = Answer<typeof healthCheckView>;

/** Something that is not as it should be, with what to do. */
export const healthIssueView = z
  .strictObject({
    component,
    status: z.enum(SEVERITIES),
    code: errorCode,
    message: z.string(),
    hint: z.string().describe('What mends it.'),
    since: moment,
    detail,
  })
  .meta({ id: 'HealthIssue' });
/** Something that is not as it should be, with what to do. */
export type HealthIssueView = Answer<typeof healthIssueView>;

/** What `GET /health` answers, with 200 for ok and 503 for the others; `maintenance` is the standby's word. */
export const healthView = z
  .strictObject({
    status: z.enum(['ok', 'degraded', 'maintenance']),
    version: z.string(),
    commit: z.string(),
    checks: z.array(healthCheckView),
    db: z
      .strictObject({ error: z.string().nullable() })
      .describe('The database again, as scripts for older versions read it.'),
    podman: z
      .strictObject({ ok: z.boolean(), error: z.string().nullable() })
      .describe('podman again, as scripts for older versions read it.'),
    issues: z.array(healthIssueView).describe('Errors first. A warning leaves the status ok.'),
  })
  .meta({ id: 'Health' });
/** What `GET /health` answers. */
export type HealthView = Answer<typeof healthView>;
