import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { NewEvent } from '../../../app/db/event-row.ts';
import type { Store } from '../../../app/db/store.ts';
import { viewHooks } from '../../../app/info/view-hooks.ts';
import { openTestStore } from '../../helpers/store.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

const NOW = Date.UTC(2030, 0, 1);
const REFUSALS = ['SIGNATURE_INVALID', 'SIGNATURE_MISSING', 'BODY_NOT_JSON'] as const;

function open(context: TestContext): Store {
  return openTestStore(context, makeTempFolder(context)).store;
}

function request(path: string, at: number, code: NewEvent['code'] = null): NewEvent {
  return {
    ...{ request_id: `req_${at}`, ts: at, method: 'POST', path, status: code ? 401 : 202 },
    ...{ action: 'github-webhook', code, actor: null, remote_address: '::1', duration_us: 1 },
    ...{ task_id: null, meta: null },
  };
}

function view(store: Store, units: readonly string[], baseUrl?: string) {
  const parts = { store, units, refusals: REFUSALS, baseUrl, hasSecret: true };
  return viewHooks({ ...parts, listStored: () => [], imageOf: () => 'ghcr.io/o/web:main' }, NOW);
}

describe('the state of webhooks', () => {
  test('of a unit nobody has sent anything to says so', (t) => {
    const { units, ...rest } = view(open(t), ['web.service'], 'https://x.example');
    const now = new Date(NOW).toISOString();
    assert.deepEqual(rest, { now, secret_configured: true, hooks: [] });
    assert.deepEqual(units, [
      {
        ...{ unit: 'web.service', slug: 'web' },
        webhook_path: '/github-package-update/web',
        redeploy_path: '/github-package-update/web/redeploy',
        webhook_url: 'https://x.example/github-package-update/web',
        redeploy_url: 'https://x.example/github-package-update/web/redeploy',
        expected_image: 'ghcr.io/o/web:main',
        ...{ last_ts: null, last_status: null, last_request_id: null, last_success_ts: null },
        ...{ last_accepted_ts: null, last_failure_ts: null, hmac_ok: null, hmac_last_error: null },
      },
    ]);
  });

  test('follows the last request under each of its names, and is well again after a good one', (t) => {
    const store = open(t);
    store.events.insertAll([
      request('/github-package-update/web', 1_000),
      request('/github-package-update/web.service/redeploy', 2_000, 'SIGNATURE_INVALID'),
      // Of others, or of nobody.
      request('/github-package-update/api', 3_000),
      request('/github-package-update/stranger', 4_000),
    ]);
    const [before] = view(store, ['web.service']).units;
    assert.deepEqual(
      [before?.hmac_ok, before?.hmac_last_error, before?.last_request_id, before?.last_status],
      [false, 'SIGNATURE_INVALID', 'req_2000', 401],
    );
    assert.equal(before?.last_success_ts, new Date(1_000).toISOString());
    store.events.insertAll([request('/github-package-update/web/redeploy', 5_000)]);
    const [after] = view(store, ['web.service']).units;
    assert.deepEqual([after?.hmac_ok, after?.hmac_last_error], [true, null]);
    assert.equal(after?.last_failure_ts, new Date(2_000).toISOString());
    assert.equal(after?.webhook_url, null);
  });

  test('is not turned bad by a stranger who sends no signature', (t) => {
    const store = open(t);
    store.events.insertAll([
      request('/github-package-update/web', 1_000),
      request('/github-package-update/web', 2_000, 'SIGNATURE_MISSING'),
    ]);
    const [unit] = view(store, ['web.service']).units;
    assert.deepEqual([unit?.hmac_ok, unit?.last_status], [true, 401]);
  });

  test('names the units that are known by their slugs in order, and no path that somebody made up', (t) => {
    const { units } = view(open(t), ['web.service', 'api.service']);
    assert.deepEqual(
      units.map(({ slug }) => slug),
      ['api', 'web'],
    );
  });
});
