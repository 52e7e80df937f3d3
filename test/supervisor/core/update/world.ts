import assert from 'node:assert/strict';
import type { Failure } from '../../../../shared/contract/outcome.ts';
import type { UpdateRecord } from '../../../../shared/contract/update-record.ts';
import type { UpdateRequest } from '../../../../shared/contract/update-request.ts';
import type { SupervisorInputs } from '../../../../supervisor/core/supervisor.ts';
import type { Memory, UpdateEvent } from '../../../../supervisor/core/update/machine.ts';
import { NO_MEMORY } from '../../../../supervisor/core/update/outcome.ts';
import { takeUpAgain } from '../../../../supervisor/core/update/record-moves.ts';
import {
  createLoop,
  type Loop,
  type PerformedEffect,
} from '../../../../supervisor/loop/run-loop.ts';
import { POLICY } from '../walks.ts';
import { BACKUP, CONTEXT, NEW, OLD, REQUEST } from './fixture.ts';

/** How a new program turns out. */
export type Quality = 'good' | 'crashes' | 'hangs' | 'stranger' | 'fails-probes' | 'fails-check';

type Program = 'old' | 'new';
type Act = PerformedEffect['kind'];
type Effect<K extends PerformedEffect['kind']> = Extract<PerformedEffect, { kind: K }>;

const FAILURE: Failure = { code: 'UPDATE_SWAP_FAILED', detail: 'EIO' };
const ACTS: readonly Act[] = [
  ...(['identify', 'stage', 'inspect-staged', 'back-up', 'switch-program', 'probe'] as const),
  ...(['check', 'execute', 'restore-program', 'settle-database', 'look-for-release'] as const),
];

/** What a person finds on the disk. */
class Disk {
  record: UpdateRecord | null = null;
  memory: Memory = NO_MEMORY;
  history: { readonly txn: string; readonly outcome: string }[] = [];
  target: Program = 'old';
  staged = false;
  /** The launcher starts the old one. */
  fallsBack = false;
  schema = 1;
  /** Rows that an old program wrote after it was put back, and no backup has. */
  rowsSince = 0;
  /** The update that made the newest backup. */
  backedUpFor: string | null = null;
  boot = 1;
}

/** One host: what is on its disk, and the supervisor and worker that run on it. Acts and workers end when told. */
export class World {
  readonly disk = new Disk();
  readonly quality: Quality;
  /** Whether the old program refuses the database that the new one has changed. */
  readonly isOneWay: boolean;
  nowMs = 1_000;
  persistFailures = 0;
  starts = 0;
  /** What this process is made of; a crash throws it away. */
  image: Program = 'old';
  loop: Loop = this.#boot();
  worker: { readonly program: Program; isReady: boolean } | undefined;
  acts: PerformedEffect[] = [];
  timers = new Map<string, { readonly at: number; readonly fire: () => void }>();
  #txns = 0;

  constructor(quality: Quality, isOneWay: boolean) {
    this.quality = quality;
    this.isOneWay = isOneWay;
    this.restart();
  }

  /** The launcher starts the program; whatever was in memory is gone. */
  restart(isReboot = false): void {
    if (isReboot) this.disk.boot++;
    const slot = this.disk.fallsBack ? 'old' : 'target';
    this.#begin(slot, slot === 'old' ? 'old' : this.disk.target);
  }

  ask(changes: Partial<UpdateRequest>): void {
    this.update({ kind: 'request', request: { ...REQUEST, id: `req-${this.nowMs}`, ...changes } });
  }

  stop(): void {
    this.update({ kind: 'stop' });
    // The worker hears it too, and all of it ends; the host starts the service again.
    this.restart();
  }

  update(event: UpdateEvent): void {
    this.loop.post({ to: 'update', event });
  }

  /** Everything that could happen next without anything going wrong: no clock is faster than what it waits for. */
  moves(): readonly (() => void)[] {
    const { worker } = this;
    const isComing = worker && !worker.isReady && !this.#isHung(worker);
    const ends = [
      ...this.acts.map((act) => () => this.#finish(act)),
      ...(isComing ? [() => this.#ready()] : []),
    ];
    return ends.length > 0 ? ends : [() => this.passTime()];
  }

  /** The next clock fires, whatever else is under way. */
  passTime(): void {
    const next = [...this.timers].sort((a, b) => a[1].at - b[1].at)[0];
    if (!next) return;
    const [name, timer] = next;
    this.timers.delete(name);
    this.nowMs = Math.max(this.nowMs, timer.at);
    timer.fire();
  }

  failAct(): void {
    const [act, ...rest] = this.acts;
    if (!act) return;
    this.acts = rest;
    this.update({ kind: 'act-failed', failure: FAILURE });
  }

  killWorker(): void {
    if (this.worker) this.#end(null, 'SIGKILL');
  }

  /** Goes on until nothing is left to happen but a look for another release. */
  settle(): void {
    for (let step = 0; step < 500; step++) {
      this.check();
      const { work } = this.loop.state().update;
      const isHeld = work.kind === 'open' && work.doing.what === 'held';
      const isDone = work.kind === 'none' || isHeld;
      if (isDone && (this.worker?.isReady || isHeld) && this.acts.length === 0) return;
      this.moves()[0]?.();
    }
    assert.fail(`It does not come to an end: ${JSON.stringify(this.loop.state())}`);
  }

  /** What is true at every moment. */
  check(): void {
    const { disk, worker } = this;
    const txns = disk.history.map(({ txn }) => txn);
    assert.equal(new Set(txns).size, txns.length, 'an update ended twice');
    if (worker?.isReady && worker.program === 'old') {
      assert.ok(!(this.isOneWay && disk.schema === 2), 'the old program runs on a new database');
    }
    if (worker?.isReady && worker.program === 'new') assert.equal(disk.schema, 2);
    assert.ok(this.starts <= 3, `the new program was tried ${this.starts} times`);
  }

  #boot(): Loop {
    return createLoop({
      inputs: () => this.#inputs(),
      persist: (record) => this.#persist(record),
      perform: (effect) => this.#perform(effect),
    });
  }

  #begin(slot: 'target' | 'old', image: Program): void {
    this.image = image;
    this.worker = undefined;
    this.acts = [];
    this.timers = new Map();
    this.loop = this.#boot();
    const { record, memory, target } = this.disk;
    // Without an open update there is nothing to fall back from.
    if (!record) this.disk.fallsBack = false;
    const targetDigest = (target === 'old' ? OLD : NEW).digest;
    this.loop.post({
      to: 'boot',
      found: { record, memory, unavailable: null, slot, targetDigest },
    });
  }

  #inputs(): SupervisorInputs {
    const { worker: _worker, ...context } = CONTEXT;
    return {
      ...context,
      nowMs: this.nowMs,
      bootId: `boot-${this.disk.boot}`,
      freshTxn: `upd_${++this.#txns}`,
      policy: POLICY,
    };
  }

  #persist(record: UpdateRecord): Failure | undefined {
    if (this.persistFailures > 0) {
      this.persistFailures--;
      return { code: 'UPDATE_RECORD_UNWRITABLE', detail: 'ENOSPC' };
    }
    const before = this.disk.record;
    if (before?.state === 'committing' && before.txn === record.txn) {
      assert.equal(record.state, 'committing');
    }
    // Each phase has its own tries: those of the trial are over once it is handed over, or given back.
    const isSamePhase = before?.txn === record.txn && before.state === record.state;
    if (!isSamePhase || record.triesLeft > (before?.triesLeft ?? 0)) this.starts = 0;
    this.disk.record = record;
    return undefined;
  }

  #perform(effect: PerformedEffect): void {
    if (ACTS.includes(effect.kind)) {
      this.acts.push(effect);
      return;
    }
    switch (effect.kind) {
      case 'start-worker':
        this.#start(effect.trial);
        return;
      case 'signal-worker':
        this.#end(0, null);
        return;
      case 'kill-worker':
        this.#end(null, 'SIGKILL');
        return;
      case 'suspend-worker':
        this.loop.post({ to: 'worker', event: { kind: 'suspend' } });
        return;
      case 'resume-worker':
        this.loop.post({ to: 'worker', event: { kind: 'resume', trial: effect.trial } });
        return;
      case 'end-trial':
        this.loop.post({ to: 'worker', event: { kind: 'end-trial' } });
        return;
      case 'tell-worker':
        // An idle worker says so at once.
        if (effect.message === 'pause' && this.worker) this.update({ kind: 'worker-idle' });
        return;
      case 'cancel-act':
        this.acts = [];
        return;
      case 'set-timer':
        this.#setTimer(effect.timer, effect.afterMs, () =>
          this.loop.post({ to: 'worker', event: { kind: 'timer-fired', timer: effect.timer } }),
        );
        return;
      case 'set-update-timer':
        this.#setTimer(effect.timer, effect.afterMs, () =>
          this.update({ kind: 'update-timer', timer: effect.timer }),
        );
        return;
      case 'clear-timer':
      case 'clear-update-timer':
        this.timers.delete(effect.timer);
        return;
      case 'save-policy':
        this.disk.memory = { ...this.disk.memory, policy: effect.policy };
        this.update({ kind: 'policy-saved', policy: effect.policy });
        return;
      case 'supersede':
        this.disk.memory = effect.memory;
        this.disk.history.push({ txn: effect.record.txn, outcome: 'superseded' });
        return;
      case 'close':
        this.#close(effect);
        return;
      default:
        return;
    }
  }

  #setTimer(name: string, afterMs: number, fire: () => void): void {
    this.timers.set(name, { at: this.nowMs + afterMs, fire });
  }

  #start(trial: boolean): void {
    assert.equal(this.worker, undefined, 'two workers');
    const program = this.disk.target;
    const { record } = this.disk;
    if (program === 'new' && trial && record?.state !== 'rolling-back') this.starts++;
    this.worker = { program, isReady: false };
    this.loop.post({ to: 'worker', event: { kind: 'worker-spawned', pid: 7 } });
  }

  #isHung({ program }: { readonly program: Program }): boolean {
    return program === 'new' && this.quality === 'hangs';
  }

  #ready(): void {
    const { worker, disk } = this;
    if (!worker) return;
    if (worker.program === 'new') disk.schema = 2;
    const refuses = worker.program === 'old' && this.isOneWay && disk.schema === 2;
    if (refuses || (worker.program === 'new' && this.quality === 'crashes')) {
      this.#end(1, null);
      return;
    }
    worker.isReady = true;
    const isBack = disk.record?.state === 'rolling-back';
    if (worker.program === 'old' && isBack) disk.rowsSince++;
    const { version, digest } = worker.program === 'old' ? OLD : NEW;
    const isStranger = worker.program === 'new' && this.quality === 'stranger';
    const readiness = { version: isStranger ? '9.9.9' : version, digest, schema: disk.schema };
    this.loop.post({ to: 'worker', event: { kind: 'worker-ready', readiness } });
  }

  #end(code: number | null, signal: string | null): void {
    if (!this.worker) return;
    this.worker = undefined;
    const event = { kind: 'worker-exited', code, signal, adopted: false } as const;
    this.loop.post({ to: 'worker', event });
  }

  #finish(act: PerformedEffect): void {
    this.acts = this.acts.filter((one) => one !== act);
    const end = this.#endOf(act);
    if (end) this.update(end);
  }

  #endOf(act: PerformedEffect): UpdateEvent | undefined {
    const { disk, worker, quality } = this;
    const bad = (code: Failure['code']) => ({ code, detail: 'It was seen.' });
    switch (act.kind) {
      case 'identify':
        return { kind: 'identified', from: disk.target === 'old' ? OLD : NEW, retained: null };
      case 'stage':
        if (disk.target === 'new' || act.order.quarantine.includes(NEW.digest)) {
          return { kind: 'staging-failed', failure: bad('RELEASE_QUARANTINED') };
        }
        disk.staged = true;
        return { kind: 'staged', release: NEW };
      case 'back-up':
        Object.assign(disk, { rowsSince: 0, backedUpFor: act.record.txn });
        return { kind: 'backed-up', backup: { ...BACKUP, schema: disk.schema } };
      case 'switch-program':
        if (disk.target === 'old' && !disk.staged) {
          return { kind: 'act-failed', failure: bad('UPDATE_SWAP_FAILED') };
        }
        Object.assign(disk, { target: 'new', staged: false, fallsBack: true });
        return { kind: 'switched' };
      case 'probe': {
        const isGood = worker?.isReady && !(worker.program === 'new' && quality === 'fails-probes');
        return { kind: 'probed', failure: isGood ? null : bad('UPDATE_PROBE_FAILED') };
      }
      case 'check': {
        const failure = quality === 'fails-check' ? bad('UPDATE_CHECK_FAILED') : null;
        return { kind: 'checked', failure, warnings: [] };
      }
      case 'execute':
        assert.equal(worker, undefined, 'a child is left');
        this.#begin('target', disk.target);
        return undefined;
      case 'restore-program':
        disk.target = 'old';
        return { kind: 'program-restored' };
      case 'settle-database':
        return this.#settleDatabase(act);
      case 'look-for-release':
        return { kind: 'looked', found: false };
      default:
        return undefined;
    }
  }

  #settleDatabase({ record }: Effect<'settle-database'>): UpdateEvent {
    const { disk } = this;
    if (!(this.isOneWay && disk.schema === 2)) return { kind: 'database-settled', restored: false };
    assert.equal(disk.rowsSince, 0, 'what the old program wrote is lost');
    assert.equal(record.txn, disk.backedUpFor, 'what an older backup has not is lost');
    disk.schema = record.database.backup?.schema ?? 1;
    return { kind: 'database-settled', restored: true };
  }

  #close({ record, outcome, memory }: Effect<'close'>): void {
    const { disk } = this;
    disk.memory = memory;
    if (!disk.history.some(({ txn }) => txn === record.txn)) {
      disk.history.push({ txn: record.txn, outcome });
    }
    disk.staged = false;
    if (record.over) disk.record = takeUpAgain(record.over);
    else Object.assign(disk, { record: null, fallsBack: false, rowsSince: 0 });
    this.update({ kind: 'closed', memory });
  }
}
