import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Logger } from 'pino';
import {
  readSupervisorSettings,
  type SupervisorSettings,
} from '../shared/config/supervisor-settings.ts';
import { EXIT, type ExitCode } from '../shared/contract/exit-codes.ts';
import { type Failure, formatFailure, type Outcome, succeed } from '../shared/contract/outcome.ts';
import type { StatePaths } from '../shared/contract/state-paths.ts';
import type { Files } from '../shared/fs/files.ts';
import { realFiles } from '../shared/fs/files.ts';
import { type HeldLock, lockFile, lockFileWithin } from '../shared/fs/lock-file.ts';
import { createLogger } from '../shared/log/create-logger.ts';
import { loadSystemCalls } from '../shared/native/system-calls.ts';
import { becomeProgram, HANDED_OVER_FD, isHandedOver, withoutHandOver } from './acts/hand-over.ts';
import { FIXED_POLICY, type Policy } from './core/restart-policy.ts';
import type { UpdateContext, UpdateEvent } from './core/update/machine.ts';
import { findOnDisk } from './find-on-disk.ts';
import { findStateDir, findStatePaths } from './find-state-paths.ts';
import { findInstallation, workerCommand } from './installation.ts';
import type { LoopParts } from './loop/run-loop.ts';
import { reapOrphans } from './process/reap-orphans.ts';
import { adoptSocket, bindSocketWithin, type HeldSocket } from './socket/bind-socket.ts';
import { Supervisor } from './supervisor.ts';
import { LISTEN_FD, type WorkerCommand } from './worker/spawn-worker.ts';

/** What `supervise` was called with. */
export type SuperviseCommand = {
  /** The executable of this program: Node, or the single executable. */
  readonly execPath: string;
  /** What stands between it and a subcommand: options of Node and the entry file; empty for a single executable. */
  readonly entryArgs: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  /** The words after `--`: another program that is run as the worker. Empty for our own. */
  readonly foreignCommand: readonly string[];
  /** For tests that end the process at a chosen step, or have a file operation fail. */
  readonly observe?: LoopParts['observe'];
  readonly files?: Files;
};

/** How long a foreign command lives before it counts as ready when it does not say so itself. */
const READY_AFTER_ALIVE_MS = 1_000;

/** How long `check-config` may take to print the faults. */
const CHECK_CONFIG_TIMEOUT_MS = 30_000;

/** An orphaned worker of a killed supervisor needs a moment to let go of the address. */
const BIND_WITHIN_MS = 3_000;
const LOCK_WITHIN_MS = 10_000;

/** The part of an update's rules that is not configured. */
const FIXED_RULES = { handedOverSoakMs: 10_000, settleMs: 1_000 } as const;

/**
 * Holds the listening socket and keeps one worker alive on it until SIGTERM or SIGINT; SIGHUP replaces the worker. It
 * also carries out updates of the program, and goes on with one that was cut off. The result is the exit code for the
 * process. Every state and what leads out of it: docs/supervisor-states.md, docs/self-update-states.md.
 */
export async function supervise(command: SuperviseCommand): Promise<ExitCode> {
  const environment = withoutHandOver(command.environment);
  const settings = readSupervisorSettings(environment);
  if (!settings) return explainFaults({ ...command, environment });

  const log = createLogger({
    name: 'supervisor',
    level: settings.logLevel,
    secrets: findSecrets(environment),
  });
  const held = await takeHold(command, settings, environment, log);
  if (!held.ok) {
    const line = formatFailure(held.failure);
    log.fatal({ code: held.failure.code }, line);
    process.stderr.write(`${line}\n`);
    return exitCodeOf(held.failure);
  }
  const { socket, lock } = held.value;
  log.info({ address: socket.address }, 'socket held');
  if (process.pid === 1) await beInit(log);
  try {
    return await run(command, settings, environment, held.value, log);
  } finally {
    socket.close();
    lock?.release();
  }
}

/** Without an init it is this process that the ends of orphans are left to. */
async function beInit(log: Logger): Promise<void> {
  const reaping = await reapOrphans();
  if (!reaping.ok) log.warn({ code: reaping.failure.code }, formatFailure(reaping.failure));
}

type Hold = {
  readonly paths: StatePaths;
  readonly socket: HeldSocket;
  /** Undefined for another program: several of those may be supervised. */
  readonly lock: HeldLock | undefined;
};

/** The lock first: whoever has it may do as he likes with socket and state. */
async function takeHold(
  { foreignCommand, environment: given }: SuperviseCommand,
  settings: SupervisorSettings,
  environment: NodeJS.ProcessEnv,
  log: Logger,
): Promise<Outcome<Hold>> {
  const wasHandedOver = isHandedOver(given);
  const found = findStatePaths(environment);
  if (!found.ok) return found;
  const paths = found.value;
  let lock: HeldLock | undefined;
  if (foreignCommand.length === 0) {
    // The lock goes with the image before; the moment until it is taken again is too short for another to bind.
    const taken = wasHandedOver
      ? await lockFileWithin(paths.supervisorLock, LOCK_WITHIN_MS)
      : lockFile(paths.supervisorLock);
    if (!taken.ok) return taken;
    lock = taken.value;
  }
  const socket = wasHandedOver
    ? adoptSocket(HANDED_OVER_FD)
    : await bindSocketWithin(settings.httpAddr, environment, process.pid, BIND_WITHIN_MS);
  if (socket.ok) return succeed({ paths, socket: socket.value, lock });
  if (!lock || !(await endHangingOrphans(settings, paths, log))) return socket;
  const again = await bindSocketWithin(settings.httpAddr, environment, process.pid, BIND_WITHIN_MS);
  return again.ok ? succeed({ paths, socket: again.value, lock }) : again;
}

/** Whether there was one: a worker that hangs does not notice that its supervisor is gone, and keeps the address. */
async function endHangingOrphans(
  { httpAddr }: SupervisorSettings,
  { stateDir }: StatePaths,
  log: Logger,
): Promise<boolean> {
  const { endOrphans } = await import('./socket/end-orphans.ts');
  const pids = endOrphans(httpAddr.port, {
    fd: LISTEN_FD,
    subcommands: ['http-server', 'intake'],
    supervisorWord: 'supervise',
    isOurs: (environment) => findStateDir(environment) === stateDir,
  });
  if (pids.length > 0) log.warn({ pids }, 'killed what an earlier supervisor has left hanging');
  return pids.length > 0;
}

function exitCodeOf({ code }: Failure): ExitCode {
  if (code === 'STATE_DIR_IN_USE') return EXIT.restartNow;
  return code === 'SOCKET_UNAVAILABLE' ? EXIT.socketUnavailable : EXIT.failure;
}

async function run(
  command: SuperviseCommand,
  settings: SupervisorSettings,
  environment: NodeJS.ProcessEnv,
  { paths, socket }: Hold,
  log: Logger,
): Promise<ExitCode> {
  const isForeign = command.foreignCommand.length > 0;
  const files = command.files ?? realFiles;
  const installation = findInstallation({ ...command, environment });
  const found = await findOnDisk({ paths, installation, files, isForeign, log });
  const supervisor = new Supervisor({
    installation,
    paths,
    found,
    environment,
    command: isForeign
      ? () => foreignWorker(command.foreignCommand, environment)
      : () =>
          workerCommand(
            installation,
            { ...command, environment },
            withoutSystemd(environment),
            files,
          ),
    isForeign,
    policy: toPolicy(settings, isForeign),
    rules: toRules(settings),
    bootId: readBootId(),
    socket,
    log,
    becomeTarget: () => becomeTarget(installation.program.target, socket.fd, environment),
    files,
    ...(command.observe && { observe: command.observe }),
  });
  return supervisor.run();
}

async function becomeTarget(
  target: string,
  socketFd: number,
  environment: NodeJS.ProcessEnv,
): Promise<UpdateEvent> {
  const calls = await loadSystemCalls();
  if (!calls.ok) return { kind: 'hand-over-impossible', reason: formatFailure(calls.failure) };
  const { duplicate } = calls.value;
  return {
    kind: 'act-failed',
    failure: becomeProgram(target, socketFd, withoutSystemd(environment), duplicate),
  };
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

/** The socket of systemd was meant for this process; a worker finds its own by what it is told. */
function withoutSystemd(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { LISTEN_FDS, LISTEN_PID, LISTEN_FDNAMES, ...rest } = environment;
  return rest;
}

function foreignWorker(
  [file = '', ...args]: readonly string[],
  environment: NodeJS.ProcessEnv,
): WorkerCommand {
  const told = { ...withoutSystemd(environment), PODUP_LISTEN_FD: String(LISTEN_FD) };
  return { file, args, environment: told };
}

function toPolicy(settings: SupervisorSettings, isForeign: boolean): Policy {
  const { backoffInitialMs, backoffMaxMs, stopTimeoutMs, updateStartTimeoutMs } = settings;
  return {
    ...FIXED_POLICY,
    backoffInitialMs,
    backoffMaxMs,
    stopTimeoutMs,
    trialStartTimeoutMs: updateStartTimeoutMs,
    ...(isForeign && { readyAfterAliveMs: READY_AFTER_ALIVE_MS }),
  };
}

function toRules({ soakMs, idleTimeoutMs }: SupervisorSettings): UpdateContext['rules'] {
  return { ...FIXED_RULES, soakMs, idleTimeoutMs };
}

/** Tells a reboot from a crash; empty where the kernel does not say (no Linux, no /proc). */
function readBootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim().slice(0, 64);
  } catch {
    return '';
  }
}
