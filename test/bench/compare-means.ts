/** How far apart the means of two samples lie. */
export type Difference = {
  /** Of the means, in the unit of the values. */
  readonly mean: number;
  /** How many standard errors that is (Welch's t). */
  readonly t: number;
};

/** Compares two samples of at least two values each. */
export function compareMeans(a: readonly number[], b: readonly number[]): Difference {
  const error = Math.sqrt(variance(a) / a.length + variance(b) / b.length);
  const mean = average(a) - average(b);
  return { mean, t: error === 0 ? 0 : mean / error };
}

/** The mean of the lower half: what else the machine does makes times longer, never shorter. */
export function meanOfLowerHalf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return average(sorted.slice(0, Math.ceil(sorted.length / 2)));
}

function variance(values: readonly number[]): number {
  const mean = average(values);
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
