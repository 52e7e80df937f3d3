import { container, published } from '../../domain/package-body.ts';
import { deliveryHeaders, TOKEN } from '../http-fixture.ts';
import { HUB_SECRET, type World } from './serve-all.ts';

/** A call that a route takes. */
export type Call = {
  /** The status of the answer. */
  readonly is: number;
  /** Where the URL of the route has parameters or needs a query. */
  readonly path?: string;
  readonly body?: Readonly<Record<string, unknown>>;
  readonly raw?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Of a refusal. */
  readonly code?: string;
};

const PUSH = JSON.stringify(published(container()));
const DEPLOY = { is: 202, body: { unit: 'web' } } as const;
const REASON = { reason: 'to see it' };
const REUSED = [
  {
    ...{ is: 422, code: 'IDEMPOTENCY_KEY_REUSED', body: { units: ['api'] } },
    headers: { 'idempotency-key': 'once' },
  },
];
const NO_HOOK = { is: 404, code: 'HOOK_NOT_FOUND', path: '/api/hooks/none' };
const HUB_PUSH = JSON.stringify({
  push_data: { tag: 'latest', pushed_at: 1 },
  repository: { repo_name: 'acme/web' },
});
const NO_TASK = { is: 404, code: 'TASK_NOT_FOUND' };

const push = (end: string): Call[] => [
  { is: 202, path: `/github-package-update/web${end}`, raw: PUSH, headers: deliveryHeaders(PUSH) },
  {
    ...{ is: 401, code: 'SIGNATURE_INVALID', path: `/github-package-update/web${end}`, raw: PUSH },
    headers: deliveryHeaders(PUSH, { 'x-hub-signature-256': `sha256=${'0'.repeat(64)}` }),
  },
];

/**
 * Every route with calls that it takes, the first of them good, in an order in which they can be made one after the other.
 * What is wrong with every input of a kind follows from the document and stands in the test.
 */
export const ROWS: Readonly<Record<string, (world: World) => readonly Call[]>> = {
  'GET /openapi.json': () => [{ is: 200 }],
  'GET /openapi.html': () => [{ is: 200 }],
  'GET /health': () => [{ is: 503 }],
  'GET /health/self': () => [{ is: 200 }],
  'POST /github-package-update/:service([^/]+)': () => push(''),
  'POST /github-package-update/:service([^/]+)/redeploy': () => push('/redeploy'),
  'POST /hooks/:hook([^/]+)': () => [
    { is: 401, code: 'HOOK_REFUSED', path: '/hooks/none', raw: HUB_PUSH },
    { is: 401, code: 'HOOK_REFUSED', path: '/hooks/hub', raw: HUB_PUSH },
  ],
  'POST /hooks/:hook([^/]+)/:secret([^/]+)': () => [
    // The path is what lets somebody in, so that the first one must not.
    { is: 401, code: 'HOOK_REFUSED', path: '/hooks/hub/wrong', raw: HUB_PUSH },
    { is: 202, path: `/hooks/hub/${HUB_SECRET}`, raw: HUB_PUSH },
    { is: 400, code: 'BODY_NOT_JSON', path: `/hooks/hub/${HUB_SECRET}`, raw: '[]' },
  ],
  'GET /metrics': () => [{ is: 200 }],
  'GET /api/config': () => [{ is: 200 }],
  'GET /api/settings': () => [{ is: 200 }],
  'GET /api/webhooks/status': () => [{ is: 200 }],
  'GET /api/version/check': () => [{ is: 200 }],
  // Of the delivery above whose signature does not fit.
  'GET /last_payload.bin': () => [{ is: 200 }],
  'HEAD /last_payload.bin': () => [{ is: 200 }],

  'GET /api/deliveries': () => [
    { is: 200 },
    { is: 200, path: '/api/deliveries?verdict=accepted&unit=web.service&limit=1' },
    { is: 200, path: '/api/deliveries?cursor=900.dlv_1' },
  ],
  'POST /api/deliveries/:id/replay': () => [
    { is: 202, path: '/api/deliveries/dlv_1/replay' },
    { is: 404, code: 'DELIVERY_NOT_FOUND', path: '/api/deliveries/x/replay' },
  ],
  'GET /api/deliveries/refused': () => [{ is: 200, path: '/api/deliveries/refused?limit=1' }],
  'GET /api/deliveries/missed': () => [{ is: 200 }],
  'GET /api/deliveries/:id': () => [
    { is: 200, path: '/api/deliveries/dlv_1' },
    { is: 404, code: 'DELIVERY_NOT_FOUND', path: '/api/deliveries/x' },
  ],
  'GET /api/hooks': () => [{ is: 200 }],
  'POST /api/hooks': () => [
    { is: 201, body: { name: 'forge', source: 'gitea', images: ['git.example/acme/*'] } },
    { is: 409, code: 'HOOK_EXISTS', body: { name: 'forge', source: 'gitea' } },
    { is: 400, code: 'HOOK_INVALID', body: { name: 'other', source: 'jfrog' } },
  ],
  'GET /api/hooks/:name': () => [{ is: 200, path: '/api/hooks/hub' }, { ...NO_HOOK }],
  'PATCH /api/hooks/:name': () => [
    { is: 200, path: '/api/hooks/forge', body: { units: ['web'], networks: ['10.0.0.0/8'] } },
    { is: 400, code: 'HOOK_INVALID', path: '/api/hooks/forge', body: { image: 'ghcr.io/a/b' } },
    { ...NO_HOOK, body: {} },
  ],
  'POST /api/hooks/:name/rotate': () => [
    { is: 200, path: '/api/hooks/forge/rotate', body: { keep_previous: false } },
    { ...NO_HOOK, path: '/api/hooks/none/rotate' },
  ],
  'POST /api/hooks/:name/disable': () => [
    { is: 200, path: '/api/hooks/forge/disable' },
    { ...NO_HOOK, path: '/api/hooks/none/disable' },
  ],
  'POST /api/hooks/:name/enable': () => [
    { is: 200, path: '/api/hooks/forge/enable' },
    { ...NO_HOOK, path: '/api/hooks/none/enable' },
  ],
  'DELETE /api/hooks/:name/secrets/:id': () => [
    { is: 200, path: '/api/hooks/hub/secrets/sec_hub' },
    { is: 404, code: 'HOOK_SECRET_NOT_FOUND', path: '/api/hooks/hub/secrets/sec_hub' },
    { ...NO_HOOK, path: '/api/hooks/none/secrets/sec_hub' },
  ],
  'DELETE /api/hooks/:name': () => [{ is: 204, path: '/api/hooks/forge' }, { ...NO_HOOK }],

  'GET /api/tasks': () => [{ is: 200 }, { is: 200, path: '/api/tasks?status=failed&limit=1' }],
  'GET /api/tasks/counts': () => [{ is: 200, path: '/api/tasks/counts?unit=web.service' }],
  'GET /api/tasks/:id': ({ ended }) => [
    { is: 200, path: `/api/tasks/${ended}` },
    { ...NO_TASK, path: '/api/tasks/x' },
  ],
  'GET /api/tasks/:id/logs': ({ ended }) => [
    { is: 200, path: `/api/tasks/${ended}/logs` },
    { ...NO_TASK, path: '/api/tasks/x/logs' },
  ],
  'GET /api/tasks/:id/export': ({ ended }) => [
    { is: 200, path: `/api/tasks/${ended}/export` },
    { is: 200, path: `/api/tasks/${ended}/export?format=text` },
    { ...NO_TASK, path: '/api/tasks/x/export' },
  ],
  'POST /api/tasks': () => [
    { is: 202, body: { kind: 'deploy', units: ['web'] } },
    { is: 202, body: { kind: 'prune' } },
    { is: 400, code: 'REQUEST_INVALID', body: { kind: 'deploy', units: [] } },
    { is: 404, code: 'UNIT_NOT_CONFIGURED', body: { kind: 'deploy', units: ['sshd'] } },
  ],
  'POST /api/tasks/:id/stop': ({ waiting, ended }) => [
    { is: 202, path: `/api/tasks/${waiting}/stop` },
    { is: 409, code: 'TASK_ENDED', path: `/api/tasks/${ended}/stop` },
    { ...NO_TASK, path: '/api/tasks/x/stop' },
  ],
  'POST /api/tasks/:id/force-stop': ({ alsoWaiting }) => [
    { is: 202, path: `/api/tasks/${alsoWaiting}/force-stop` },
    { ...NO_TASK, path: '/api/tasks/x/force-stop' },
  ],
  'POST /api/tasks/:id/retry': ({ ended }) => [
    { is: 202, path: `/api/tasks/${ended}/retry`, body: REASON },
    { ...NO_TASK, path: '/api/tasks/x/retry' },
  ],
  'POST /api/deployments': () => [
    DEPLOY,
    { is: 404, code: 'UNIT_NOT_CONFIGURED', body: { unit: 'sshd' } },
    { is: 404, code: 'PLAN_NOT_FOUND', body: { plan_id: `pln_${'0'.repeat(19)}` } },
  ],
  'GET /api/manual/services': () => [
    { is: 200 },
    { is: 200, path: '/api/manual/services/?discover=1' },
  ],
  'POST /api/manual/trigger': () => [
    { is: 202, body: { units: ['web'] }, headers: { 'idempotency-key': 'once' } },
    { is: 202, body: { units: ['web'] }, headers: { 'idempotency-key': 'once' } },
    ...REUSED,
    { is: 200, body: { all: true, dry_run: true } },
    { is: 400, code: 'SELECTION_EMPTY', body: {} },
  ],
  'POST /api/manual/deploy': () => [
    { is: 202, body: { all: true } },
    { is: 200, body: { units: ['web'], dry_run: true } },
    { is: 400, code: 'SELECTION_EMPTY', body: {} },
  ],
  'POST /api/manual/services/:slug': () => [
    { is: 202, path: '/api/manual/services/web', body: REASON },
    { is: 404, code: 'UNIT_NOT_CONFIGURED', path: '/api/manual/services/sshd' },
  ],
  'POST /api/manual/services/:slug/upgrade': () => [
    { is: 202, path: '/api/manual/services/web/upgrade', body: REASON },
    { is: 404, code: 'UNIT_NOT_CONFIGURED', path: '/api/manual/services/sshd/upgrade' },
  ],
  'POST /api/manual/auto-update/run': () => [
    { is: 202, body: REASON },
    { is: 202, body: { dry_run: true } },
    { is: 400, code: 'REQUEST_INVALID', body: { dry_run: 1 } },
  ],
  'POST /auto-update': () => [
    { is: 202, body: { caller: 'cron' } },
    { is: 202, body: {} },
    { is: 429, code: 'RATE_LIMITED', body: {} },
  ],
  'POST /api/prune-state': () => [
    { is: 200, body: { dry_run: true, ...REASON } },
    { is: 400, code: 'REQUEST_INVALID', body: { max_age_hours: 0 } },
  ],
  'GET /api/update-checks': () => [{ is: 200 }],
  'POST /api/update-checks': () => [
    { is: 200, body: { units: ['web'] } },
    { is: 404, code: 'UNIT_NOT_CONFIGURED', body: { units: ['sshd'] } },
  ],
  'GET /api/limits': () => [{ is: 200 }],
  'DELETE /api/limits/auto-update': () => [{ is: 200 }],
  'DELETE /api/limits/addresses/:address': () => [
    { is: 200, path: '/api/limits/addresses/192.0.2.7' },
    { is: 404, code: 'LIMIT_NOT_FOUND', path: '/api/limits/addresses/192.0.2.7' },
  ],
  'GET /api/image-locks': () => [{ is: 200 }],
  'DELETE /api/image-locks/:name': () => [
    { is: 200, path: '/api/image-locks/ghcr.io%2Fo%2Fweb:main' },
    { is: 404, code: 'IMAGE_LOCK_NOT_FOUND', path: '/api/image-locks/ghcr.io_o_web_main' },
  ],
  'GET /api/quarantine': () => [{ is: 200 }],
  'DELETE /api/quarantine/:unit': () => [
    { is: 200, path: '/api/quarantine/api.service' },
    { is: 404, code: 'QUARANTINE_NOT_FOUND', path: '/api/quarantine/api.service' },
  ],
  'DELETE /api/quarantine/:unit/:digest': ({ digest }) => [
    { is: 204, path: `/api/quarantine/web.service/${digest}` },
    { is: 404, code: 'QUARANTINE_NOT_FOUND', path: `/api/quarantine/web.service/${digest}` },
  ],
  'GET /api/events': () => [{ is: 200 }, { is: 200, path: '/api/events?status=4xx&limit=1' }],
  'GET /api/events/export': () => [
    { is: 200, path: '/api/events/export?format=jsonl' },
    { is: 200, path: '/api/events/export?format=csv' },
    { is: 400, code: 'REQUEST_INVALID' },
  ],
  'GET /api/session': () => [{ is: 200 }],
  'POST /api/session': () => [
    { is: 200, body: { token: TOKEN } },
    { is: 401, code: 'ADMIN_TOKEN_INVALID', body: { token: 'x' } },
    {
      ...{ is: 403, code: 'CROSS_SITE_REQUEST', body: { token: TOKEN } },
      headers: { 'sec-fetch-site': 'cross-site' },
    },
  ],
  'DELETE /api/session': () => [
    { is: 204 },
    {
      ...{ is: 403, code: 'CSRF_HEADER_MISSING' },
      headers: { cookie: `__Host-podup_session=${'x'.repeat(43)}` },
    },
  ],
  'GET /api/tokens': () => [{ is: 200 }],
  'POST /api/tokens': () => [
    { is: 201, body: { name: 'ci', scopes: ['read', 'deploy:web'] } },
    { is: 409, code: 'TOKEN_NAME_TAKEN', body: { name: 'ci', scopes: ['read'] } },
    { is: 400, code: 'REQUEST_INVALID', body: { name: 'ci2', scopes: ['write'] } },
    { is: 400, code: 'REQUEST_INVALID', body: { name: 'PODUP_X', scopes: ['read'] } },
    {
      ...{ is: 400, code: 'REQUEST_INVALID' },
      body: { name: 'ci2', scopes: ['read'], expires_at: '2001-01-01T00:00:00Z' },
    },
  ],
  'DELETE /api/tokens/:name': () => [
    { is: 200, path: '/api/tokens/ci' },
    { is: 404, code: 'TOKEN_NOT_FOUND', path: '/api/tokens/ci' },
  ],
  'GET /api/attention': () => [{ is: 200 }],
  'POST /api/attention/seen': ({ ended }) => [
    { is: 200, body: { id: `failed-task ${ended}` } },
    { is: 404, code: 'ATTENTION_NOT_FOUND', body: { id: 'x' } },
  ],
  'GET /api/schedule': () => [{ is: 200 }],
  'POST /api/schedule/:job/run': () => [
    { is: 202, path: '/api/schedule/backup/run', body: REASON },
    { is: 404, code: 'SCHEDULE_JOB_NOT_FOUND', path: '/api/schedule/x/run' },
  ],

  'GET /api/self-update': () => [{ is: 200 }],
  'GET /api/self-update/history': () => [{ is: 200 }],
  'GET /api/self-update/explain': () => [{ is: 200 }],
  'POST /api/self-update/run': () => [{ is: 202, body: { dry_run: true, tag: 'v1.0.0' } }],
  'POST /api/self-update/rollback': () => [{ is: 202, body: { version: '1.0.0' } }],
  'POST /api/self-update/cancel': () => [{ is: 202, body: REASON }],
  'POST /api/self-update/hold': () => [{ is: 200, body: REASON }],
  'POST /api/self-update/resume': () => [{ is: 200, body: REASON }],
  'POST /api/self-update/check': () => [{ is: 200 }],

  'GET /sse/events': () => [
    { is: 200 },
    { is: 400, code: 'REQUEST_INVALID', headers: { 'last-event-id': 'x' } },
  ],
  'GET /sse/hello': () => [{ is: 200 }],
  'GET /sse/self-update': () => [{ is: 200 }],
  'GET /sse/task-logs': ({ ended }) => [
    { is: 200, path: `/sse/task-logs?task_id=${ended}` },
    { ...NO_TASK, path: '/sse/task-logs?task_id=x' },
    { is: 400, code: 'REQUEST_INVALID' },
  ],
};
