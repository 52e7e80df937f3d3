import type { Clock } from '../../../app/scheduler/clock.ts';

type Timer = { readonly at: number; readonly call: () => void };

/** Clocks in the hand of a test: what wants to be woken is woken as they go on. */
export class TestClock implements Clock {
  #wall: number;
  #steady = 0;
  readonly #timers = new Set<Timer>();

  constructor(wall: string) {
    this.#wall = Date.parse(wall);
  }

  now = () => this.#wall;
  steady = () => this.#steady;

  after(ms: number, call: () => void): () => void {
    const timer = { at: this.#steady + ms, call };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  /** Both go on, and all that was to be woken meanwhile is. */
  pass(ms: number): void {
    const end = this.#steady + ms;
    for (;;) {
      const [next] = [...this.#timers].sort((a, b) => a.at - b.at);
      const to = Math.min(next?.at ?? end, end);
      this.#wall += to - this.#steady;
      this.#steady = to;
      if (!next || next.at > end) return;
      this.#timers.delete(next);
      next.call();
    }
  }

  /** The wall clock is set; or the machine sleeps, for which the steady one stands still. */
  jump(ms: number): void {
    this.#wall += ms;
  }

  /** How many timers wait. */
  get waiting(): number {
    return this.#timers.size;
  }
}
