/** One number with what tells it from others of its name. */
export type Sample = {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  /** Of a histogram: which of its numbers. */
  readonly metricName?: string;
};

/** What Prometheus calls a metric. */
export type Metric = {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly values: readonly Sample[];
};

/** A number. */
export function one(value: number, labels: Sample['labels'] = {}): Sample {
  return { labels, value };
}

/** What goes up and down. */
export function gauge(name: string, help: string, values: readonly Sample[]): Metric {
  return { name, help, type: 'gauge', values };
}

/** What only goes up. */
export function counter(name: string, help: string, values: readonly Sample[]): Metric {
  return { name, help, type: 'counter', values };
}
