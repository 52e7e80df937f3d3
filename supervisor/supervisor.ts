import type { Logger } from 'pino';
import { PROGRAM } from '../shared/config/program-version.ts';
import type { ExitCode } from '../shared/contract/exit-codes.ts';
import type { StatePaths } from '../shared/contract/state-paths.ts';
import type { UpdateAnswer } from '../shared/contract/update-request.ts';
import type { UpdateStatus } from '../shared/contract/update-status.ts';
import { realBulkFiles } from '../shared/fs/bulk-files.ts';
import { type Files, realFiles } from '../shared/fs/files.ts';
import type { ActParts } from './acts/create-acts.ts';
import { type ActKind, ActRunner, isAct } from './acts/perform-act.ts';
import type { Event, WorkerTimer } from './core/event.ts';
import type { Policy } from './core/restart-policy.ts';
import type { SupervisorInputs, SupervisorState } from './core/supervisor.ts';
import type { UpdateEvent, UpdateMachine, UpdateTimer } from './core/update/machine.ts';
import type { Found } from './core/update/recover.ts';
import { toStatus } from './core/update/status.ts';
import { openInbox, type RequestInbox } from './inbox/request-inbox.ts';
import type { Installation } from './installation.ts';
import { listenToSignals } from './loop/listen-to-signals.ts';
import { createLoop, type Loop, type LoopParts, type PerformedEffect } from './loop/run-loop.ts';
import { createTimers } from './loop/timers.ts';
import { closeUpdate, tell } from './record/close-update.ts';
import { writePolicy } from './record/memory-store.ts';
import { writeRecord } from './record/record-store.ts';
import { systemFailure } from './record/system-failure.ts';
import type { HeldSocket } from './socket/bind-socket.ts';
import { createStandby, type StandbyProcess, standbyCommand } from './standby/standby-process.ts';
import type { WorkerCommand } from './worker/spawn-worker.ts';
import { WorkerKeeper } from './worker/worker-keeper.ts';

/** What a supervisor runs with. */
export type SupervisorParts = {
  readonly installation: Installation;
  readonly paths: StatePaths;
  readonly found: Found;
  readonly environment: NodeJS.ProcessEnv;
  /** The worker of this program, up to its options; another program where one is supervised. */
  readonly command: () => WorkerCommand;
  readonly isForeign: boolean;
  readonly policy: Policy;
  readonly rules: SupervisorInputs['rules'];
  readonly bootId: string;
  readonly socket: HeldSocket;
  readonly log: Logger;
  /** Becomes the program at the target, once no child is left; comes back only with a reason. */
  readonly becomeTarget: () => Promise<UpdateEvent>;
  readonly files?: Files;
  readonly observe?: LoopParts['observe'];
};

/** How long the standby may take to end before the supervisor ends, or becomes another program. */
const STANDBY_LIMIT_MS = 5_000;

type OwnKind = Exclude<PerformedEffect['kind'], ActKind>;

/** How each effect that is no act is done, by its kind. */
type Performers = {
  readonly [K in OwnKind]: (effect: Extract<PerformedEffect, { kind: K }>) => void;
};

/** The supervisor on a real host: what the pure half decides is done here. */
export class Supervisor {
  readonly #parts: SupervisorParts;
  readonly #files: Files;
  readonly #loop: Loop;
  readonly #acts: ActRunner;
  readonly #inbox: RequestInbox | undefined;
  readonly #standby: StandbyProcess;
  readonly #worker: WorkerKeeper;
  readonly #performers: Performers;
  readonly #ended = Promise.withResolvers<ExitCode>();
  readonly #workerTimers = createTimers<WorkerTimer>((timer) =>
    this.#loop.post({ to: 'worker', event: { kind: 'timer-fired', timer } }),
  );
  readonly #updateTimers = createTimers<UpdateTimer>((timer) =>
    this.#update({ kind: 'update-timer', timer }),
  );
  readonly #standbyTimers = createTimers<'standby'>(() =>
    this.#loop.post({ to: 'standby', event: { kind: 'standby-timer' } }),
  );
  #shown: UpdateMachine | undefined;
  #changes = 0;
  #isOver = false;

  constructor(parts: SupervisorParts) {
    this.#parts = parts;
    this.#files = parts.files ?? realFiles;
    const { paths, socket } = parts;
    this.#worker = this.#keepWorker();
    this.#standby = createStandby(
      () => standbyCommand(parts.command()),
      socket.fd,
      () => this.#loop.post({ to: 'standby', event: { kind: 'standby-exited' } }),
    );
    this.#acts = this.#createActs();
    this.#performers = { ...this.#workerPerformers(), ...this.#updatePerformers() };
    this.#loop = createLoop({
      inputs: () => this.#inputs(),
      persist: (record) =>
        this.#attempt(() => writeRecord(paths.updateRecord, record, this.#files)),
      perform: (effect) => {
        if (isAct(effect)) this.#acts.start(effect);
        else (this.#performers[effect.kind] as (given: typeof effect) => void)(effect);
      },
      onSettled: (state) => this.#show(state),
      ...(parts.observe && { observe: parts.observe }),
    });
    if (!parts.isForeign) this.#inbox = this.#openInbox();
  }

  /** Runs until a signal or a worker ends it; the exit code. */
  async run(): Promise<ExitCode> {
    const stopListening = listenToSignals(this.#loop.post);
    this.#loop.post({ to: 'boot', found: this.#parts.found });
    this.#inbox?.look();
    try {
      return await this.#ended.promise;
    } finally {
      this.#isOver = true;
      stopListening();
      this.#inbox?.close();
      this.#acts.cancel();
      for (const timers of [this.#workerTimers, this.#updateTimers, this.#standbyTimers]) {
        timers.clearAll();
      }
      await this.#standby.end(STANDBY_LIMIT_MS);
    }
  }

  #inputs(): SupervisorInputs {
    const { policy, rules, bootId } = this.#parts;
    const wallMs = Date.now();
    return {
      nowMs: performance.now(),
      wallMs,
      random: Math.random(),
      bootId,
      // Sorts by time, so that the folders of updates do.
      freshTxn: `upd_${wallMs.toString(36)}${Math.random().toString(36).slice(2, 8)}`,
      policy,
      rules,
    };
  }

  #update(event: UpdateEvent): void {
    this.#loop.post({ to: 'update', event });
  }

  #attempt(act: () => void) {
    try {
      act();
      return undefined;
    } catch (error) {
      return systemFailure(error);
    }
  }

  #keepWorker(): WorkerKeeper {
    const { command, isForeign, socket, log } = this.#parts;
    return new WorkerKeeper({
      command,
      isForeign,
      socketFd: socket.fd,
      log,
      status: () => this.#status(),
      hasAsked: (pid) => this.#inbox?.hasAsked(pid) ?? false,
      onEvent: (event) => this.#loop.post({ to: 'worker', event }),
      onIdle: () => this.#update({ kind: 'worker-idle' }),
      onRequest: (request) => this.#update({ kind: 'request', request }),
    });
  }

  #createActs(): ActRunner {
    const { paths, installation, environment, socket } = this.#parts;
    const parts: ActParts = {
      program: installation.program,
      paths,
      files: this.#files,
      bulk: realBulkFiles,
      environment,
      own: PROGRAM,
      socketFd: socket.fd,
      becomeTarget: () => this.#becomeTarget(),
      lastGood: () => this.#loop.state().update.memory.policy.lastGood,
    };
    const load = async () => (await import('./acts/create-acts.ts')).createActs(parts);
    return new ActRunner(load, (event) => this.#update(event));
  }

  #workerPerformers() {
    const { log, isForeign } = this.#parts;
    const tell = (event: Event) => this.#loop.post({ to: 'worker', event });
    return {
      'start-worker': ({ trial }) => this.#worker.start(trial),
      'signal-worker': ({ signal }) => this.#worker.signal(signal),
      'kill-worker': () => this.#worker.kill(),
      'set-timer': ({ timer, afterMs }) => this.#workerTimers.set(timer, afterMs),
      'clear-timer': ({ timer }) => this.#workerTimers.clear(timer),
      'suspend-worker': () => tell({ kind: 'suspend' }),
      'resume-worker': ({ trial }) => tell({ kind: 'resume', trial }),
      'end-trial': () => tell({ kind: 'end-trial' }),
      'set-standby-timer': ({ afterMs }) => {
        if (!isForeign) this.#standbyTimers.set('standby', afterMs);
      },
      'clear-standby-timer': () => this.#standbyTimers.clear('standby'),
      'start-standby': () => {
        log.info('no worker serves: the standby accepts webhooks');
        this.#standby.start();
      },
      'stop-standby': () => this.#standby.stop(),
      report: ({ level, fields, what }) => log[level](fields, what),
      exit: ({ code }) => this.#ended.resolve(code),
    } satisfies Partial<Performers>;
  }

  #updatePerformers() {
    return {
      answer: ({ id, txn, failure }) => this.#answer({ id, txn, failure }),
      'tell-worker': ({ message }) => this.#worker.send({ kind: message }),
      'cancel-act': () => this.#acts.cancel(),
      'set-update-timer': ({ timer, afterMs }) => this.#updateTimers.set(timer, afterMs),
      'clear-update-timer': ({ timer }) => this.#updateTimers.clear(timer),
      close: (effect) => {
        const failure = this.#attempt(() => closeUpdate(this.#closeParts(), effect));
        const { memory } = effect;
        this.#update(failure ? { kind: 'act-failed', failure } : { kind: 'closed', memory });
      },
      supersede: ({ record, memory }) => {
        const closing = { record, outcome: 'superseded', memory } as const;
        const failure = this.#attempt(() => tell(this.#closeParts(), closing));
        if (failure) this.#parts.log.error({ code: failure.code }, failure.detail);
      },
      'save-policy': ({ policy, requestId }) => {
        const failure = this.#attempt(() => writePolicy(this.#parts.paths, policy, this.#files));
        this.#answer({ id: requestId, txn: null, failure: failure ?? null });
        if (!failure) this.#update({ kind: 'policy-saved', policy });
      },
    } satisfies Partial<Performers>;
  }

  #closeParts() {
    const { paths, installation } = this.#parts;
    const { program } = installation;
    return { paths, program, files: this.#files, bulk: realBulkFiles, wallMs: Date.now() };
  }

  #answer(answer: Omit<UpdateAnswer, 'status'>): void {
    const full = { ...answer, status: this.#status() };
    if (!this.#worker.answer(full)) this.#inbox?.answer(full);
  }

  #status(): UpdateStatus {
    const supervisor = {
      pid: process.pid,
      version: PROGRAM.version,
      slot: this.#parts.installation.slot,
    };
    return toStatus(this.#loop.state().update, supervisor, this.#changes);
  }

  /** Tells the worker what has become of the update, where anything has. */
  #show({ update }: SupervisorState): void {
    if (update === this.#shown) return;
    this.#shown = update;
    this.#changes++;
    this.#worker.send({ kind: 'update-status', status: this.#status() });
  }

  #openInbox(): RequestInbox {
    const { paths, log } = this.#parts;
    return openInbox(
      paths,
      this.#files,
      (request) => this.#update({ kind: 'request', request }),
      () => log.warn({ file: paths.updateRequest }, 'a request for an update cannot be read'),
    );
  }

  async #becomeTarget(): Promise<UpdateEvent> {
    await this.#standby.end(STANDBY_LIMIT_MS);
    // A stop that came meanwhile has the first word: the next start goes on from the record.
    if (this.#isOver || this.#loop.state().update.isStopping) {
      return { kind: 'hand-over-impossible', reason: 'The service is being stopped.' };
    }
    return this.#parts.becomeTarget();
  }
}
