import type { Logger } from 'pino';
import type { UpdateAnswer, UpdateRequest } from '../../shared/contract/update-request.ts';
import type { UpdateStatus } from '../../shared/contract/update-status.ts';
import type { SupervisorMessage, WorkerNotice } from '../../shared/contract/worker-messages.ts';
import type { Event, StopSignal } from '../core/event.ts';
import { LISTEN_FD, spawnWorker, type Worker, type WorkerCommand } from './spawn-worker.ts';

/** What the keeper of the worker works with, and whom it tells. */
export type KeeperParts = {
  /** The worker up to its options; another program, which has none, where one is supervised. */
  readonly command: () => WorkerCommand;
  readonly isForeign: boolean;
  readonly socketFd: number;
  readonly log: Logger;
  readonly status: () => UpdateStatus;
  readonly hasAsked: (pid: number) => boolean;
  readonly onEvent: (event: Event) => void;
  readonly onIdle: () => void;
  readonly onRequest: (request: UpdateRequest) => void;
};

/** Holds the one worker, and what is said between it and the supervisor. */
export class WorkerKeeper {
  readonly #parts: KeeperParts;
  /** Requests that came over the channel and wait for their answer there. */
  readonly #asked = new Set<string>();
  #worker: Worker | undefined;

  constructor(parts: KeeperParts) {
    this.#parts = parts;
  }

  /** Starts a worker where none lives. */
  start(isOnTrial: boolean): void {
    if (this.#worker?.isAlive()) return;
    const { command, isForeign, socketFd, log } = this.#parts;
    const { file, args, environment } = command();
    const options = ['--listen-fd', String(LISTEN_FD), ...(isOnTrial ? ['--trial'] : [])];
    const full = { file, args: isForeign ? args : [...args, ...options], environment };
    this.#worker = spawnWorker(full, socketFd, {
      event: this.#parts.onEvent,
      notice: (notice) => this.#hear(notice),
      hasAsked: this.#parts.hasAsked,
      malformed: (count) => reportMalformed(log, count),
    });
  }

  signal(signal: StopSignal): void {
    this.#worker?.signal(signal);
  }

  kill(): void {
    this.#worker?.kill();
  }

  send(message: SupervisorMessage): void {
    this.#worker?.send(message);
  }

  /** Answers a request that came over the channel; false for any other. */
  answer(answer: UpdateAnswer): boolean {
    if (!this.#asked.delete(answer.id)) return false;
    this.send({ kind: 'update-answer', answer });
    return true;
  }

  #hear(notice: WorkerNotice): void {
    const { log, onIdle, onRequest, status } = this.#parts;
    log.debug({ notice }, 'worker said');
    if (notice.kind === 'worker-idle') onIdle();
    if (notice.kind === 'worker-ready') this.send({ kind: 'update-status', status: status() });
    if (notice.kind !== 'update-request') return;
    this.#asked.add(notice.request.id);
    onRequest(notice.request);
  }
}

/** One line for the first, the tenth, the hundredth …: a worker that floods its channel must not flood the log. */
function reportMalformed(log: Logger, count: number): void {
  if (/^10*$/.test(String(count))) {
    log.warn({ count }, 'message of the worker thrown away: not a known notice');
  }
}
