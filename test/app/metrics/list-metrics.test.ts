import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { countRequests } from '../../../app/metrics/count-requests.ts';
import { formatMetrics } from '../../../app/metrics/format-metrics.ts';
import { listMetrics, type MetricSources } from '../../../app/metrics/list-metrics.ts';
import { updateStatus } from '../updates/update-fixture.ts';

const NOW = 1_000_000;

function sources(over: Partial<MetricSources> = {}): MetricSources {
  const limit = { pausedUntil: 0, updatedAt: 1 };
  return {
    store: {
      totals: {
        list: () => [{ name: 'task', first: 'manual', second: 'failed', count: 3 }],
        listPushes: () => [
          { le_ms: 1_000, count: 2, sum_ms: 1_500 },
          { le_ms: 30_000, count: 1, sum_ms: 25_000 },
          { le_ms: 0, count: 1, sum_ms: 5_000_000 },
        ],
        oldestPendingAt: () => NOW - 90_000,
      },
      tasks: { countOpen: () => ({ pending: 4, running: 1 }) },
      quarantine: { count: () => 2 },
      registryAnswers: {
        listLimits: () =>
          Array.from({ length: 80 }, (_, index) => ({
            ...{ host: `r${index}.example`, quota: { limit: 100, remaining: index } },
            ...limit,
            updatedAt: index,
          })),
      },
    } as unknown as MetricSources['store'],
    requests: () => [],
    intake: { waiting: () => ({ count: 1, oldestAt: NOW - 2_500 }) },
    limits: {
      credentials: () => ({ admin: { failed: 7, refused: 3 } }),
      connections: () => ({ limits: { total: 9 }, open: { idle: 2 }, cut: { 'slow-head': 4 } }),
    },
    update: () => updateStatus(),
    health: () => Promise.resolve([{ component: 'podman', ok: false }]),
    program: { version: '1.2.3', commit: 'c0ffee' },
    now: () => NOW,
    ...over,
  };
}

/** The lines that are no comments. */
async function linesOf(over: Partial<MetricSources> = {}): Promise<readonly string[]> {
  const text = await formatMetrics(await listMetrics(sources(over)));
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

describe('the metrics', () => {
  test('say what is stored and what is in memory', async () => {
    const lines = await linesOf();
    for (const line of [
      'podup_database_up 1',
      'podup_failed_credentials_total{kind="admin"} 7',
      'podup_refused_credentials_total{kind="admin"} 3',
      'podup_connections{stage="idle"} 2',
      'podup_connections_max 9',
      'podup_connections_cut_total{reason="slow-head"} 4',
      'podup_tasks_total{kind="manual",status="failed"} 3',
      'podup_tasks_open{status="pending"} 4',
      'podup_queue_oldest_seconds 90',
      'podup_quarantined_images 2',
      'podup_intake_waiting 1',
      'podup_intake_lag_seconds 2.5',
      'podup_health_ok{component="podman"} 0',
      'podup_self_update_state{state="idle"} 1',
      'podup_registry_quota_remaining{host="r79.example"} 79',
    ]) {
      assert.ok(lines.includes(line), line);
    }
  });

  test('count in each bucket what is in the smaller ones, too', async () => {
    const lines = (await linesOf()).filter((line) => line.includes('push_to_running'));
    const bucket = (le: string) => `podup_push_to_running_seconds_bucket{le="${le}"}`;
    for (const line of [
      `${bucket('1')} 2`,
      `${bucket('20')} 2`,
      `${bucket('30')} 3`,
      `${bucket('3600')} 3`,
      `${bucket('+Inf')} 4`,
      'podup_push_to_running_seconds_sum 5026.5',
      'podup_push_to_running_seconds_count 4',
    ]) {
      assert.ok(lines.includes(line), line);
    }
  });

  test('name so many registries and no more', async () => {
    const lines = await linesOf();
    assert.equal(lines.filter((line) => line.startsWith('podup_registry_paused')).length, 50);
  });

  test('are told without the database, which is said', async () => {
    const store = new Proxy({} as MetricSources['store'], {
      get: () => {
        throw new Error('disk I/O error');
      },
    });
    const lines = await linesOf({ store, update: () => undefined });
    assert.ok(lines.includes('podup_database_up 0'));
    assert.ok(lines.includes('podup_self_update_state{state="unsupervised"} 1'));
    assert.ok(!lines.some((line) => line.startsWith('podup_tasks')));
  });
});

describe('requests', () => {
  test('are counted by action and class, handed on, and of no more kinds than there can be', () => {
    const handed: number[] = [];
    const counter = countRequests({ record: ({ status }) => void handed.push(status) });
    const event = { action: 'health', status: 503 } as Parameters<typeof counter.record>[0];
    counter.record(event);
    counter.record(event);
    for (let index = 0; index < 1_000; index++) counter.record({ ...event, action: `a${index}` });
    const [first] = counter.list();
    assert.deepEqual(first, { action: 'health', class: '5xx', count: 2 });
    assert.equal(counter.list().length, 500);
    assert.equal(handed.length, 1_002);
  });
});
