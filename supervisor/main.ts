import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Logger } from 'pino';
import {
  readSupervisorSettings,
  type SupervisorSettings,
} from '../shared/config/supervisor-settings.ts';
import { EXIT, type ExitCode } from '../shared/contract/exit-codes.ts';
import { formatFailure } from '../shared/contract/outcome.ts';
import { createLogger } from '../shared/log/create-logger.ts';
import type { Effect } from './core/effect.ts';
import type { Event, Timer } from './core/event.ts';
import { FIXED_POLICY, type Policy } from './core/restart-policy.ts';
import { INITIAL_STATE, type State } from './core/state.ts';
import { step } from './core/step.ts';
import { bindSocket, type HeldSocket } from './socket/bind-socket.ts';
import { LISTEN_FD, spawnWorker, type Worker, type WorkerCommand } from './worker/spawn-worker.ts';

/** What `supervise` was called with. */
export type SuperviseCommand = {
  /** The executable of this program: Node, or the single executable. */
  readonly execPath: string;
  /** What stands between it and a subcommand: options of Node and the entry file; empty for a single executable. */
  readonly entryArgs: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  /** The words after `--`: another program that is run as the worker. Empty for our own. */
  readonly foreignCommand: readonly string[];
};

/** How long a foreign command lives before it counts as ready when it does not say so itself. */
const READY_AFTER_ALIVE_MS = 1_000;

/** How long `check-config` may take to print the faults. */
const CHECK_CONFIG_TIMEOUT_MS = 30_000;

/**
 * Holds the listening socket and keeps one worker alive on it until SIGTERM or SIGINT; SIGHUP replaces the worker.
 * The result is the exit code for the process. Every state and what leads out of it: docs/supervisor-states.md.
 */
export async function supervise(command: SuperviseCommand): Promise<ExitCode> {
  const { environment } = command;
  const settings = readSupervisorSettings(environment);
  if (!settings) return explainFaults(command);

  const log = createLogger({
    name: 'supervisor',
    level: settings.logLevel,
    secrets: findSecrets(environment),
  });
  const socket = bindSocket(settings.httpAddr, environment, process.pid);
  if (!socket.ok) {
    const line = formatFailure(socket.failure);
    log.fatal({ code: socket.failure.code }, line);
    process.stderr.write(`${line}\n`);
    return EXIT.socketUnavailable;
  }
  log.info({ address: socket.value.address }, 'socket held');
  try {
    return await runLoop(toWorkerCommand(command), toPolicy(command, settings), socket.value, log);
  } finally {
    socket.value.close();
  }
}

/** The whole program knows how to explain every fault at once, so that is left to it. */
async function explainFaults(command: SuperviseCommand): Promise<ExitCode> {
  const child = spawn(command.execPath, [...command.entryArgs, 'check-config'], {
    env: command.environment,
    stdio: 'inherit',
    timeout: CHECK_CONFIG_TIMEOUT_MS,
    killSignal: 'SIGKILL',
  });
  await once(child, 'exit').catch((error: unknown) => {
    process.stderr.write(`CONFIG_INVALID: the check of the configuration cannot run: ${error}\n`);
  });
  return EXIT.configInvalid;
}

/** Values that look like secrets by their names. The table of all settings would need the schema library here. */
function findSecrets(environment: NodeJS.ProcessEnv): string[] {
  return Object.entries(environment).flatMap(([name, value]) =>
    value && /TOKEN|SECRET|PASSWORD/.test(name) && !name.endsWith('_FILE') ? [value] : [],
  );
}

function toWorkerCommand(command: SuperviseCommand): WorkerCommand {
  // The socket of systemd was meant for this process; a worker finds its own by what it is told.
  const { LISTEN_FDS, LISTEN_PID, LISTEN_FDNAMES, ...environment } = command.environment;
  const [file, ...args] = command.foreignCommand;
  if (file !== undefined) {
    return { file, args, environment: { ...environment, PODUP_LISTEN_FD: String(LISTEN_FD) } };
  }
  return {
    file: command.execPath,
    args: [...command.entryArgs, 'http-server', '--listen-fd', String(LISTEN_FD)],
    environment,
  };
}

function toPolicy(command: SuperviseCommand, settings: SupervisorSettings): Policy {
  const { backoffInitialMs, backoffMaxMs, stopTimeoutMs } = settings;
  const isForeign = command.foreignCommand.length > 0;
  return {
    ...FIXED_POLICY,
    backoffInitialMs,
    backoffMaxMs,
    stopTimeoutMs,
    ...(isForeign && { readyAfterAliveMs: READY_AFTER_ALIVE_MS }),
  };
}

/** The one owner of the state: takes one event at a time and performs the effects once the new state is in force. */
function runLoop(
  command: WorkerCommand,
  policy: Policy,
  socket: HeldSocket,
  log: Logger,
): Promise<ExitCode> {
  const { promise, resolve } = Promise.withResolvers<ExitCode>();
  const timers = new Map<Timer, NodeJS.Timeout>();
  let state: State = INITIAL_STATE;
  let worker: Worker | undefined;

  // Effects never post events before they return, so no event can meet another half done.
  const post = (event: Event) => {
    const next = step(state, event, { nowMs: performance.now(), random: Math.random() }, policy);
    state = next.state;
    for (const effect of next.effects) perform(effect);
  };

  const perform = (effect: Effect) => {
    switch (effect.kind) {
      case 'start-worker':
        if (worker?.isAlive()) return;
        worker = spawnWorker(command, socket.fd, {
          event: post,
          notice: (notice) => log.debug({ notice }, 'worker said'),
          malformed: (count) => reportMalformed(log, count),
        });
        return;
      case 'signal-worker':
        return worker?.signal(effect.signal);
      case 'kill-worker':
        return worker?.kill();
      case 'set-timer':
        clearTimeout(timers.get(effect.timer));
        timers.set(
          effect.timer,
          setTimeout(post, effect.afterMs, { kind: 'timer-fired', timer: effect.timer }),
        );
        return;
      case 'clear-timer':
        return clearTimeout(timers.get(effect.timer));
      case 'report':
        return log[effect.level](effect.fields, effect.what);
      case 'exit':
        return resolve(effect.code);
    }
  };

  const stopListening = listenToSignals(post);
  post({ kind: 'start' });
  return promise.finally(() => {
    stopListening();
    for (const timer of timers.values()) clearTimeout(timer);
  });
}

function listenToSignals(post: (event: Event) => void): () => void {
  const listeners = {
    SIGTERM: () => post({ kind: 'stop-requested', signal: 'SIGTERM' }),
    SIGINT: () => post({ kind: 'stop-requested', signal: 'SIGINT' }),
    SIGHUP: () => post({ kind: 'reload-requested' }),
  } as const;
  const entries = Object.entries(listeners);
  for (const [signal, listener] of entries) process.on(signal, listener);
  return () => {
    for (const [signal, listener] of entries) process.off(signal, listener);
  };
}

/** One line for the first, the tenth, the hundredth …: a worker that floods its channel must not flood the log. */
function reportMalformed(log: Logger, count: number): void {
  if (/^10*$/.test(String(count))) {
    log.warn({ count }, 'message of the worker thrown away: not a known notice');
  }
}
