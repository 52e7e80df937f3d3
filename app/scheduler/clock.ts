/** The clocks of the machine, and a timer of the one that nobody sets. */
export type Clock = {
  /** What the wall clock says, in milliseconds since the epoch. It can be set, and goes on while the machine sleeps. */
  now(): number;
  /** Milliseconds of the clock that is never set, and stands still while the machine sleeps. */
  steady(): number;
  /** Calls once, after that many milliseconds of the steady clock; gives what takes it back. */
  after(ms: number, call: () => void): () => void;
};

/** The machine's own. */
export const REAL_CLOCK: Clock = {
  now: () => Date.now(),
  steady: () => performance.now(),
  after(ms, call) {
    const timer = setTimeout(call, ms);
    return () => clearTimeout(timer);
  },
};
