/**
 * Exit codes of every process of this program. 64-78 follow sysexits(3); 10 is the update request of the
 * supervisor's protocol (Node itself uses 10 for a bootstrap failure, so it counts only with a durable request).
 */
export const EXIT = {
  /** Did what it was asked to, or was stopped cleanly. */
  ok: 0,
  /** Failed; the last lines on stderr say why. */
  failure: 1,
  /** The command line was wrong. */
  usage: 2,
  /** The worker asks its supervisor for an update. */
  updateRequested: 10,
  /** The listening socket could not be bound, or another process uses the state directory. */
  socketUnavailable: 69,
  /** The worker had to be killed because it did not stop in time. */
  stopForced: 70,
  /** Restart me now, without counting it as a failure. */
  restartNow: 75,
  /** The configuration is wrong; restarting would not help. */
  configInvalid: 78,
} as const;

/** A named exit code. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
