import type { UpdateStatus } from '../../shared/contract/update-status.ts';
import type { Store } from '../db/store.ts';
import type { PushRow, TotalRow } from '../db/totals.ts';
import type { RequestCount } from './count-requests.ts';
import { type LimitSources, listLimits } from './list-limits.ts';
import { counter, gauge, type Metric, one } from './make-metric.ts';

/** Where the numbers are: in memory, or in tables that are as small as the lists they count by. */
export type MetricSources = {
  readonly store: Pick<Store, 'totals' | 'tasks' | 'quarantine' | 'registryAnswers'>;
  readonly requests: () => readonly RequestCount[];
  readonly intake: { waiting(): { readonly count: number; readonly oldestAt: number | null } };
  readonly limits: LimitSources;
  /** The word of the supervisor; undefined where there is none. */
  readonly update: () => UpdateStatus | undefined;
  /** What is known of the health: component and whether it is well. */
  readonly health: () => Promise<readonly { readonly component: string; readonly ok: boolean }[]>;
  readonly program: { readonly version: string; readonly commit: string };
  readonly now: () => number;
};

/** Registries beyond these are left out, those that were asked last stay. */
const MAX_REGISTRIES = 50;
/** As the trigger `push_proven` has them. */
const PUSH_BOUNDS_MS = [
  ...[1_000, 2_500, 5_000, 10_000, 15_000, 20_000, 30_000, 45_000, 60_000, 90_000],
  ...[120_000, 300_000, 600_000, 1_800_000, 3_600_000],
];

/** All that a monitor is told. Without the database the rest is told all the same. */
export async function listMetrics(sources: MetricSources): Promise<readonly Metric[]> {
  const stored = readStored(sources);
  return [
    gauge('podup_database_up', 'Whether the database can be read.', [one(stored ? 1 : 0)]),
    ...(stored ?? []),
    ...listIntake(sources),
    ...listUpdate(sources.update()),
    gauge(
      'podup_health_ok',
      'Whether a part is well, by what was found last.',
      (await sources.health()).map(({ component, ok }) => one(ok ? 1 : 0, { component })),
    ),
    counter(
      'podup_http_requests_total',
      'Requests answered since the start.',
      sources
        .requests()
        .map(({ action, class: kind, count }) => one(count, { action, class: kind })),
    ),
    gauge('podup_build_info', 'What runs.', [
      one(1, { ...sources.program, node: process.versions.node }),
    ]),
    ...listLimits(sources.limits),
    ...listProcess(),
  ];
}

function readStored(sources: MetricSources): readonly Metric[] | undefined {
  try {
    return listStored(sources);
  } catch {
    // Health says what is wrong with it.
    return undefined;
  }
}

function listStored({ store, now }: MetricSources): readonly Metric[] {
  const totals = store.totals.list();
  const of = (name: TotalRow['name']) => totals.filter((row) => row.name === name);
  const open = store.tasks.countOpen();
  const oldest = store.totals.oldestPendingAt();
  return [
    counter(
      'podup_tasks_total',
      'Tasks that have ended.',
      of('task').map(({ first, second, count }) => one(count, { kind: first, status: second })),
    ),
    counter(
      'podup_task_failures_total',
      'Tasks that have ended with an error, by its code.',
      of('task-failure').map(({ first, count }) => one(count, { code: first })),
    ),
    counter(
      'podup_rollbacks_total',
      'Deployments that were taken back, by what had failed.',
      of('rollback').map(({ first, count }) => one(count, { code: first })),
    ),
    counter(
      'podup_deliveries_total',
      'Webhooks with a good signature.',
      of('delivery')
        .filter(({ first }) => first !== 'missed')
        .map(({ first, second, count }) => one(count, { verdict: first, reason: second })),
    ),
    counter(
      'podup_missed_deliveries_total',
      'Pushes that no delivery has told of, by what has found them.',
      of('delivery')
        .filter(({ first }) => first === 'missed')
        .map(({ second, count }) => one(count, { found_by: second })),
    ),
    listPushes(store.totals.listPushes()),
    gauge('podup_tasks_open', 'Tasks that wait or run.', [
      one(open.pending, { status: 'pending' }),
      one(open.running, { status: 'running' }),
    ]),
    gauge('podup_queue_oldest_seconds', 'How long the oldest task has waited that waits.', [
      one(oldest === null ? 0 : Math.max(0, now() - oldest) / 1000),
    ]),
    gauge('podup_quarantined_images', 'Images that are not deployed again.', [
      one(store.quarantine.count(now())),
    ]),
    ...listRegistries(store, now()),
  ];
}

/** Prometheus counts in each bucket what is in the smaller ones, too. */
function listPushes(rows: readonly PushRow[]): Metric {
  const name = 'podup_push_to_running_seconds';
  const total = rows.reduce((sum, { count }) => sum + count, 0);
  const buckets = PUSH_BOUNDS_MS.map((bound) => {
    const within = rows.filter(({ le_ms }) => le_ms !== 0 && le_ms <= bound);
    const value = within.reduce((sum, { count }) => sum + count, 0);
    return { labels: { le: String(bound / 1000) }, value, metricName: `${name}_bucket` };
  });
  return {
    name,
    help: 'From a push to the unit that runs it and is proven.',
    type: 'histogram',
    values: [
      ...buckets,
      { labels: { le: '+Inf' }, value: total, metricName: `${name}_bucket` },
      {
        labels: {},
        value: rows.reduce((sum, { sum_ms }) => sum + sum_ms, 0) / 1000,
        metricName: `${name}_sum`,
      },
      { labels: {}, value: total, metricName: `${name}_count` },
    ],
  };
}

function listRegistries(
  { registryAnswers }: MetricSources['store'],
  nowMs: number,
): readonly Metric[] {
  const limits = [...registryAnswers.listLimits()]
    .sort((a, b) => b.updatedAt - a.updatedAt)
    .slice(0, MAX_REGISTRIES);
  const ofQuota = (key: 'limit' | 'remaining') =>
    limits.flatMap(({ host, quota }) => {
      const value = quota?.[key];
      return value === undefined || value === null ? [] : [one(value, { host })];
    });
  return [
    gauge('podup_registry_quota', 'Requests that a registry allows.', ofQuota('limit')),
    gauge('podup_registry_quota_remaining', 'How many of them are left.', ofQuota('remaining')),
    gauge(
      'podup_registry_paused',
      'Whether a registry wants to be left alone.',
      limits.map(({ host, pausedUntil }) => one(pausedUntil > nowMs ? 1 : 0, { host })),
    ),
  ];
}

function listIntake({ intake, now }: MetricSources): readonly Metric[] {
  const { count, oldestAt } = intake.waiting();
  const lagMs = oldestAt === null ? 0 : Math.max(0, now() - oldestAt);
  return [
    gauge('podup_intake_waiting', 'Accepted webhooks that are not in the database yet.', [
      one(count),
    ]),
    gauge('podup_intake_lag_seconds', 'How long the oldest of them has waited.', [
      one(lagMs / 1000),
    ]),
  ];
}

function listUpdate(status: UpdateStatus | undefined): readonly Metric[] {
  const state = status ? (status.update?.state ?? 'idle') : 'unsupervised';
  return [
    gauge('podup_self_update_state', 'Where an update of the program stands.', [one(1, { state })]),
    gauge('podup_self_update_available', 'Whether this program can be updated here.', [
      one(status && !status.unavailable ? 1 : 0),
    ]),
  ];
}

function listProcess(): readonly Metric[] {
  const { user, system } = process.cpuUsage();
  const memory = process.memoryUsage();
  const startedAt = Math.round(Date.now() / 1000 - process.uptime());
  return [
    counter('process_cpu_seconds_total', 'CPU time of the worker.', [one((user + system) / 1e6)]),
    gauge('process_resident_memory_bytes', 'Memory of the worker.', [one(memory.rss)]),
    gauge('process_start_time_seconds', 'When the worker began.', [one(startedAt)]),
    gauge('nodejs_heap_size_used_bytes', 'What of its heap is used.', [one(memory.heapUsed)]),
    gauge('nodejs_eventloop_utilization_ratio', 'How busy it has been since the start.', [
      one(performance.eventLoopUtilization().utilization),
    ]),
  ];
}
