import type { ErrorCode } from '../../shared/contract/error-codes.ts';
import type { UpdateEffect, UpdateEvent } from '../core/update/machine.ts';

/** Effects that take time and end in an event. */
export type ActKind =
  | 'identify'
  | 'stage'
  | 'inspect-staged'
  | 'back-up'
  | 'switch-program'
  | 'restore-wanted'
  | 'probe'
  | 'check'
  | 'execute'
  | 'restore-program'
  | 'settle-database'
  | 'look-for-release';

/** An effect of one kind. */
export type EffectOf<K extends UpdateEffect['kind']> = Extract<UpdateEffect, { kind: K }>;

/** What an act is handed: when to end early, and where to tell how far it is. */
export type ActTools = {
  readonly signal: AbortSignal;
  readonly post: (event: UpdateEvent) => void;
};

/** How each act is carried out. What is thrown is the system's error. */
export type Acts = {
  readonly [K in ActKind]: (effect: EffectOf<K>, tools: ActTools) => Promise<UpdateEvent>;
};

/** What an act that was broken off by the system's error is reported as. */
const BROKEN_OFF: Readonly<Record<ActKind, ErrorCode>> = {
  identify: 'UPDATE_UNAVAILABLE',
  stage: 'UPDATE_STAGING_FAILED',
  'inspect-staged': 'UPDATE_STAGING_FAILED',
  'back-up': 'UPDATE_BACKUP_FAILED',
  'switch-program': 'UPDATE_SWAP_FAILED',
  'restore-wanted': 'UPDATE_RESTORE_FAILED',
  probe: 'UPDATE_PROBE_FAILED',
  check: 'UPDATE_CHECK_FAILED',
  execute: 'UPDATE_SUPERVISOR_FAILED',
  'restore-program': 'UPDATE_ROLLBACK_FAILED',
  'settle-database': 'UPDATE_RESTORE_FAILED',
  'look-for-release': 'RELEASE_SOURCE_UNREACHABLE',
};

/** Whether the effect is an act. */
export function isAct(effect: { readonly kind: string }): effect is EffectOf<ActKind> {
  return Object.hasOwn(BROKEN_OFF, effect.kind);
}

/**
 * Carries out one act after another. What was cancelled says nothing any more, however it ends: its place may have been
 * taken by another.
 */
export class ActRunner {
  readonly #load: () => Promise<Acts>;
  readonly #post: (event: UpdateEvent) => void;
  #running = new Set<AbortController>();

  /** `load` is called for each act: what acts are made of need not be in memory while nothing happens. */
  constructor(load: () => Promise<Acts>, post: (event: UpdateEvent) => void) {
    this.#load = load;
    this.#post = post;
  }

  start(effect: EffectOf<ActKind>): void {
    const control = new AbortController();
    this.#running.add(control);
    const post = (event: UpdateEvent) => {
      if (!control.signal.aborted) this.#post(event);
    };
    void this.#run(effect, { signal: control.signal, post }).then((event) => {
      this.#running.delete(control);
      post(event);
    });
  }

  cancel(): void {
    for (const control of this.#running) control.abort();
    this.#running = new Set();
  }

  async #run(effect: EffectOf<ActKind>, tools: ActTools): Promise<UpdateEvent> {
    try {
      const acts = await this.#load();
      // Cancelled meanwhile, it must not begin: not every act can be broken off.
      tools.signal.throwIfAborted();
      const act = acts[effect.kind] as (
        effect: EffectOf<ActKind>,
        tools: ActTools,
      ) => Promise<UpdateEvent>;
      return await act(effect, tools);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      const isFull = code === 'ENOSPC' || code === 'EDQUOT';
      const detail = `${message ?? error}`.slice(0, 500);
      return {
        kind: 'act-failed',
        failure: { code: isFull ? 'UPDATE_DISK_FULL' : BROKEN_OFF[effect.kind], detail },
      };
    }
  }
}
