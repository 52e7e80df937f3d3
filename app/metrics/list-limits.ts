import { counter, gauge, type Metric, one } from './make-metric.ts';

type Counts = Readonly<Record<string, number>>;

/** Where limits are counted. */
export type LimitSources = {
  /** Credentials that were wrong since the start, by what they were to open. */
  readonly credentials: () => Readonly<
    Record<string, { readonly failed: number; readonly refused: number }>
  >;
  readonly connections: () => {
    readonly limits: { readonly total: number };
    readonly open: Counts;
    readonly cut: Counts;
  };
};

/** What is told of limits. */
export function listLimits({ credentials, connections }: LimitSources): readonly Metric[] {
  const kinds = Object.entries(credentials());
  const { limits, open, cut } = connections();
  return [
    counter(
      'podup_failed_credentials_total',
      'Credentials that were wrong, or not looked at, since the start.',
      kinds.map(([kind, { failed }]) => one(failed, { kind })),
    ),
    counter(
      'podup_refused_credentials_total',
      'Those of them that were told to come later.',
      kinds.map(([kind, { refused }]) => one(refused, { kind })),
    ),
    gauge(
      'podup_connections',
      'Connections that are open, by what is waited for.',
      Object.entries(open).map(([stage, count]) => one(count, { stage })),
    ),
    gauge('podup_connections_max', 'How many there may be.', [one(limits.total)]),
    counter(
      'podup_connections_cut_total',
      'Connections that were ended before their time, since the start.',
      Object.entries(cut).map(([reason, count]) => one(count, { reason })),
    ),
  ];
}
