import type { Failure } from '../../shared/contract/outcome.ts';
import type { UpdateRecord } from '../../shared/contract/update-record.ts';
import { ActRunner, isAct } from '../../supervisor/acts/perform-act.ts';
import type { Event } from '../../supervisor/core/event.ts';
import { FIXED_POLICY } from '../../supervisor/core/restart-policy.ts';
import type { SupervisorEffect, SupervisorInputs } from '../../supervisor/core/supervisor.ts';
import type { UpdateEvent } from '../../supervisor/core/update/machine.ts';
import type { Found } from '../../supervisor/core/update/recover.ts';
import { createLoop, type Loop, type PerformedEffect } from '../../supervisor/loop/run-loop.ts';
import { closeUpdate, tell } from '../../supervisor/record/close-update.ts';
import { writePolicy } from '../../supervisor/record/memory-store.ts';
import { writeRecord } from '../../supervisor/record/record-store.ts';
import { systemFailure } from '../../supervisor/record/system-failure.ts';
import { createSimActs } from './sim-acts.ts';
import type { Facts } from './sim-facts.ts';
import type { SimFs } from './sim-fs.ts';
import { PATHS, PROGRAM } from './sim-paths.ts';
import { type Program, parseProgram, type Trouble } from './sim-programs.ts';
import { SimWorker } from './sim-worker.ts';

/** What a simulated supervisor lives in. */
export type SupervisorParts = {
  readonly fs: SimFs;
  readonly facts: Facts;
  /** The program that it is. */
  readonly own: Program;
  readonly found: Found;
  /** Turns into the program at the target; comes back only where it cannot. */
  readonly becomeTarget: () => UpdateEvent | undefined;
  readonly onExit: () => void;
  readonly violate: (rule: string) => void;
  readonly observe: (effect: SupervisorEffect) => void;
};

type Timer = { readonly at: number; readonly fire: () => void };

const RULES = { soakMs: 5_000, handedOverSoakMs: 2_000, settleMs: 1_000, idleTimeoutMs: 60_000 };
const POLICY = {
  ...FIXED_POLICY,
  backoffInitialMs: 500,
  backoffMaxMs: 60_000,
  stopTimeoutMs: 10_000,
  trialStartTimeoutMs: 20_000,
};
const WALL_MS = 1_700_000_000_000;

/** A supervisor: the real loop, core, record and acts over a simulated disk, with a clock that it is told. */
export class SimSupervisor {
  readonly #parts: SupervisorParts;
  readonly #loop: Loop;
  readonly #acts: ActRunner;
  readonly #timers = new Map<string, Timer>();
  worker: SimWorker | undefined;
  #isOver = false;
  /** One more with everything that is done. */
  activity = 0;
  actsUnderWay = 0;

  constructor(parts: SupervisorParts) {
    this.#parts = parts;
    const acts = createSimActs({
      fs: parts.fs,
      facts: parts.facts,
      own: parts.own,
      troubleOf: (program) => this.#troubleOf(program),
      lastGood: () => this.#loop.state().update.memory.policy.lastGood,
      serving: () => (this.worker?.isReady ? this.worker.program : undefined),
      becomeTarget: () => this.#becomeTarget(),
    });
    this.#acts = new ActRunner(
      async () => acts,
      (event) => this.update(event),
    );
    this.#loop = createLoop({
      inputs: () => this.#inputs(),
      persist: (record) => this.#persist(record),
      perform: (effect) => this.#perform(effect),
      observe: (when, effect) => {
        if (when === 'after') parts.observe(effect);
      },
    });
  }

  begin(): void {
    const { found } = this.#parts;
    // Whoever reads that it is committed acts upon it.
    if (found.record?.state === 'committing') this.#noteCommitted(found.record);
    this.#loop.post({ to: 'boot', found });
  }

  /** Killed, or become another program: nothing that is still under way has any effect. */
  abandon(): void {
    this.#isOver = true;
  }

  update(event: UpdateEvent): void {
    if (!this.#isOver) this.#loop.post({ to: 'update', event });
  }

  get record(): UpdateRecord | null {
    const { work } = this.#loop.state().update;
    return work.kind === 'open' ? work.record : null;
  }

  /** Nothing is to be done: a worker serves, or both versions are bad. */
  get isAtRest(): boolean {
    const { update, worker } = this.#loop.state();
    if (update.work.kind === 'open') return update.work.doing.what === 'held' && !this.worker;
    const serves = worker.phase === 'running' && this.worker?.isReady === true;
    return update.work.kind === 'none' && serves && !this.worker?.isAboutToMove;
  }

  get isHeld(): boolean {
    return this.record?.state === 'held';
  }

  /** The next clock fires. */
  passTime(): boolean {
    const next = [...this.#timers].sort(([, a], [, b]) => a.at - b.at)[0];
    if (!next) return false;
    const [name, timer] = next;
    const { facts } = this.#parts;
    this.#timers.delete(name);
    facts.nowMs = Math.max(facts.nowMs, timer.at);
    timer.fire();
    return true;
  }

  /** SIGTERM. */
  stop(): void {
    this.update({ kind: 'stop' });
    this.#tellWorkerHalf({ kind: 'stop-requested', signal: 'SIGTERM' });
  }

  #tellWorkerHalf(event: Event): void {
    if (!this.#isOver) this.#loop.post({ to: 'worker', event });
  }

  #inputs(): SupervisorInputs {
    const { facts } = this.#parts;
    return {
      nowMs: facts.nowMs,
      wallMs: WALL_MS + facts.nowMs,
      random: 0.5,
      bootId: `boot-${facts.boot}`,
      freshTxn: `upd_${String(facts.txns + 1).padStart(6, '0')}`,
      policy: POLICY,
      rules: RULES,
    };
  }

  #troubleOf({ version, trouble }: Program): Trouble {
    return this.#parts.facts.troubles[version] ?? trouble;
  }

  #attempt(act: () => void): Failure | undefined {
    try {
      act();
      return undefined;
    } catch (error) {
      return systemFailure(error);
    }
  }

  #persist(record: UpdateRecord): Failure | undefined {
    if (this.#isOver) return undefined;
    const { fs, facts, violate } = this.#parts;
    if (facts.committed.some(({ txn }) => txn === record.txn) && record.state !== 'committing') {
      violate(`an update that was committed is ${record.state}`);
    }
    if (record.state === 'requested') facts.txns++;
    this.#countAnew(record);
    const failure = this.#attempt(() => writeRecord(PATHS.updateRecord, record, fs));
    if (!failure && record.state === 'committing') {
      this.#noteCommitted(record);
    }
    return failure;
  }

  #noteCommitted({ txn, to }: UpdateRecord): void {
    const { facts } = this.#parts;
    const isKnown = facts.committed.some((one) => one.txn === txn);
    if (!isKnown) facts.committed = [...facts.committed, { txn, version: to?.version ?? '' }];
  }

  /** Each part of a trial has its own tries, and a stop gives one back. */
  #countAnew({ txn, state, steps, triesLeft }: UpdateRecord): void {
    const { facts } = this.#parts;
    const part = `${txn} ${state} ${steps.length}`;
    if (facts.part !== part) facts.starts = 0;
    else if (triesLeft > facts.triesLeft) facts.starts--;
    facts.part = part;
    facts.triesLeft = triesLeft;
  }

  #perform(effect: PerformedEffect): void {
    if (this.#isOver) return;
    this.activity++;
    if (isAct(effect)) {
      this.#acts.start(effect);
      return;
    }
    switch (effect.kind) {
      case 'start-worker':
        this.#startWorker(effect.trial);
        return;
      case 'signal-worker':
        this.worker?.stop();
        return;
      case 'kill-worker':
        this.worker?.end(null, 'SIGKILL');
        return;
      case 'suspend-worker':
        this.#tellWorkerHalf({ kind: 'suspend' });
        return;
      case 'resume-worker':
        this.#tellWorkerHalf({ kind: 'resume', trial: effect.trial });
        return;
      case 'end-trial':
        this.#tellWorkerHalf({ kind: 'end-trial' });
        return;
      case 'tell-worker':
        if (effect.message === 'pause' && this.worker?.isReady)
          this.update({ kind: 'worker-idle' });
        return;
      case 'exit':
        this.abandon();
        this.#parts.onExit();
        return;
      default:
        this.#performOther(effect);
    }
  }

  #performOther(effect: PerformedEffect): void {
    const { fs, facts } = this.#parts;
    switch (effect.kind) {
      case 'answer':
        if (effect.txn && !effect.failure) facts.answered = [...facts.answered, effect.txn];
        return;
      case 'cancel-act':
        this.#acts.cancel();
        return;
      case 'set-timer':
      case 'set-update-timer':
        this.#setTimer(effect);
        return;
      case 'clear-timer':
      case 'clear-update-timer':
        this.#timers.delete(effect.timer);
        return;
      case 'close': {
        const failure = this.#attempt(() => closeUpdate(this.#closeParts(), effect));
        const { memory } = effect;
        this.update(failure ? { kind: 'act-failed', failure } : { kind: 'closed', memory });
        return;
      }
      case 'supersede': {
        const { record, memory } = effect;
        this.#attempt(() => tell(this.#closeParts(), { record, memory, outcome: 'superseded' }));
        return;
      }
      case 'save-policy':
        this.#attempt(() => writePolicy(PATHS, effect.policy, fs));
        this.update({ kind: 'policy-saved', policy: effect.policy });
        return;
      default:
        return;
    }
  }

  #closeParts() {
    const { fs, facts } = this.#parts;
    const wallMs = WALL_MS + facts.nowMs;
    return { paths: PATHS, program: PROGRAM, files: fs, bulk: fs.bulk, wallMs };
  }

  #setTimer(effect: Extract<PerformedEffect, { kind: 'set-timer' | 'set-update-timer' }>): void {
    const fire =
      effect.kind === 'set-timer'
        ? () => this.#tellWorkerHalf({ kind: 'timer-fired', timer: effect.timer })
        : () => this.update({ kind: 'update-timer', timer: effect.timer });
    this.#timers.set(effect.timer, { at: this.#parts.facts.nowMs + effect.afterMs, fire });
  }

  /** As `workerCommand` has it. */
  #workerFile(): string {
    return this.#parts.fs.facts(PROGRAM.target)?.isExecutable ? PROGRAM.target : PROGRAM.old;
  }

  #startWorker(trial: boolean): void {
    const { fs, facts, own, violate } = this.#parts;
    const program = parseProgram(fs.text(this.#workerFile()) ?? '');
    if (!program) {
      violate('no whole program is there to be started');
      this.#tellWorkerHalf({ kind: 'spawn-failed', reason: 'ENOEXEC' });
      return;
    }
    if (trial && program.version === this.record?.to?.version) facts.starts++;
    if (facts.starts > 3) violate('a new program was tried more than three times');
    this.worker = new SimWorker({
      fs,
      facts,
      program,
      trouble: this.#troubleOf(program),
      trial,
      under: own.version,
      openTxn: () => this.record?.txn ?? null,
      tell: (event) => {
        this.activity++;
        if (event.kind === 'worker-exited') this.worker = undefined;
        this.#tellWorkerHalf(event);
      },
      violate,
    });
    this.#tellWorkerHalf({ kind: 'worker-spawned', pid: 7 });
  }

  async #becomeTarget(): Promise<UpdateEvent> {
    if (this.worker) this.#parts.violate('a child is left when another program takes over');
    const failed = this.#parts.becomeTarget();
    // This process is no more.
    return failed ?? new Promise(() => undefined);
  }
}
