import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { parseJson } from '../../shared/contract/read-shape.ts';
import { OutputCollector } from '../../shared/process/output-collector.ts';
import {
  type Command,
  type CommandEnd,
  type CommandResult,
  isSuccess,
  type RunCommand,
  type ServiceRequest,
} from '../../shared/process/run-command.ts';
import { Agent, request as ask } from '../../shared/process/undici-parts.ts';
import { describePodmanSetup, HOST_VARIABLES } from './podman-setup.ts';

/** The service ends by itself when nobody has been connected for so long; and whatever happens after the limit. */
const IDLE_SECONDS = 10;
const LIFE_SECONDS = 3_600;
/**
 * podman reads again what it stores whenever that has changed. Cleared away less often than Go usually does, that takes it a
 * sixth less of the processor, for up to 40 MB more while it lives (pkg.go.dev/runtime, GOGC, GOMEMLIMIT).
 */
const COLLECTING = ['GOGC=400', 'GOMEMLIMIT=256MiB'] as const;
const START_TIMEOUT_MS = 10_000;
/** How long it is believed that podman is set up as it was: files are looked at to know. */
const SETUP_FRESH_MS = 1_000;
/** A service that cannot be had, or does not answer, is not tried again for so long. */
const LEFT_ALONE_MS = 60_000;
const DEFAULT_MAX_OUTPUT_BYTES = 32_768;
const MAX_ERROR_CHARACTERS = 32_768;

/** podman's API on this host, in place of one process for each question. */
export type PodmanService = {
  /** What the service answers; undefined where it cannot be asked, or did not answer to the end: then nobody knows. */
  answer(command: Command, request: ServiceRequest): Promise<CommandResult | undefined>;
  close(): Promise<void>;
};

/** What it is started with: `run` reaches the service manager, `folder` holds its socket. */
type Options = {
  readonly run: RunCommand;
  readonly folder: string;
  readonly environment: NodeJS.ProcessEnv;
};

/** Where a service listens, and what its unit is called. */
type Place = { readonly socket: string; readonly unit: string };

/**
 * The service of podman that all tasks of this user share: in a transient unit of its own, on a socket that only this user
 * can open, started by whoever needs it first, and ended by itself when nobody does. It is told what a command of podman
 * would be told; podman that is set up anew gets another one, for a service reads its configuration once.
 */
export function createPodmanService({ run, folder, environment }: Options): PodmanService {
  let agent: { readonly socket: string; readonly agent: Agent } | undefined;
  let known: { readonly place: Place | undefined; readonly atMs: number } | undefined;
  let leftAloneUntilMs = 0;
  /** How often it was started from here, and the last time. */
  let starts = 0;
  let starting: Promise<void> | undefined;

  function find(): Place | undefined {
    const nowMs = performance.now();
    if (known && nowMs - known.atMs < SETUP_FRESH_MS) return known.place;
    const setup = describePodmanSetup(environment);
    const place = setup === undefined ? undefined : placeOf(folder, setup);
    known = { place, atMs: nowMs };
    return place;
  }

  function agentOf(socket: string): Agent {
    if (agent?.socket === socket) return agent.agent;
    // What is asked of it is answered first.
    void agent?.agent.close();
    const made = new Agent({ connect: { socketPath: socket }, headersTimeout: 0, bodyTimeout: 0 });
    agent = { socket, agent: made };
    return made;
  }

  /** Whoever comes second joins the start of the first. */
  async function start({ socket, unit }: Place): Promise<void> {
    const variables = HOST_VARIABLES.filter((name) => environment[name] !== undefined);
    const options = {
      environment: Object.fromEntries(variables.map((name) => [name, environment[name]])),
      timeoutMs: START_TIMEOUT_MS,
    };
    const started = await run({ argv: startCommand(socket, unit, variables), ...options });
    if (isSuccess(started)) return;
    await run({ argv: ['systemctl', '--user', 'start', '--', unit], ...options });
  }

  async function answer(command: Command, request: ServiceRequest) {
    const place = find();
    if (!place || performance.now() < leftAloneUntilMs) return undefined;
    const before = starts;
    const dispatcher = agentOf(place.socket);
    let asked = await send(command, request, dispatcher);
    if (asked === 'nobody-there') {
      if (starts === before) {
        starts++;
        starting = start(place);
      }
      await starting;
      // However that went: another may have started it meanwhile.
      asked = await send(command, request, dispatcher);
    }
    // One that does not answer a question is not asked the next one. A pull may take long for other reasons.
    const isStuck =
      asked !== 'nobody-there' && asked?.end.kind === 'timed-out' && request.method === 'GET';
    if (asked === 'nobody-there' || isStuck) leftAloneUntilMs = performance.now() + LEFT_ALONE_MS;
    return asked === 'nobody-there' ? undefined : asked;
  }

  return { answer, close: async () => agent?.agent.destroy() };
}

function placeOf(folder: string, setup: string): Place {
  const id = createHash('sha256').update(setup).digest('hex').slice(0, 16);
  return { socket: join(folder, `podup-podman-${id}.sock`), unit: `podup-podman-${id}.service` };
}

/** It says itself when it listens, from a process that it has made. */
function startCommand(
  socket: string,
  unit: string,
  variables: readonly string[],
): readonly [string, ...string[]] {
  return [
    ...(['systemd-run', '--user', '--collect', '--quiet', `--unit=${unit}`] as const),
    '--description=pod-upgrade-trigger: podman for its tasks',
    ...['--property=Type=notify', '--property=NotifyAccess=all'],
    `--property=RuntimeMaxSec=${LIFE_SECONDS}`,
    ...variables.map((name) => `--setenv=${name}`),
    ...COLLECTING.map((setting) => `--setenv=${setting}`),
    ...['--', 'podman', 'system', 'service', `--time=${IDLE_SECONDS}`, `unix://${socket}`],
  ];
}

/** Undefined where the connection broke before the end of the answer. */
async function send(
  { argv, timeoutMs, signal, maxOutputBytes }: Command,
  request: ServiceRequest,
  dispatcher: Agent,
): Promise<CommandResult | 'nobody-there' | undefined> {
  const { method, path } = request;
  const startedAt = performance.now();
  const limit = cutOff(timeoutMs, signal);
  const collector = new OutputCollector(maxOutputBytes ?? DEFAULT_MAX_OUTPUT_BYTES);
  const result = (
    end: CommandEnd,
    texts: { readonly stdout?: string; readonly stderr?: string },
  ) => ({
    argv,
    end,
    durationMs: Math.round(performance.now() - startedAt),
    ...{ stdout: '', stderr: '', ...texts },
    ...{ stdoutDropped: collector.dropped, stderrDropped: 0 },
  });
  try {
    const { statusCode, body } = await ask(`http://podman${path}`, {
      dispatcher,
      method,
      signal: limit.signal,
    });
    for await (const chunk of body) collector.add(chunk as Buffer);
    const stdout = collector.text();
    const stderr = findError(method, statusCode, stdout);
    const status = stderr !== undefined && statusCode < 300 ? 500 : statusCode;
    const end = { kind: 'answered', status, ...request } as const;
    return stderr === undefined ? result(end, { stdout }) : result(end, { stderr });
  } catch (error) {
    if (signal?.aborted) return result({ kind: 'aborted' }, {});
    if (limit.signal.aborted) return result({ kind: 'timed-out' }, {});
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' || code === 'ECONNREFUSED' ? 'nobody-there' : undefined;
  } finally {
    limit.end();
  }
}

/** A signal for one request, of the one that is given and a time; what AbortSignal.any and timeout cost, many requests would. */
function cutOff(timeoutMs: number, given: AbortSignal | undefined) {
  const controller = new AbortController();
  const abort = () => controller.abort();
  const timer = setTimeout(abort, timeoutMs);
  given?.addEventListener('abort', abort, { once: true });
  if (given?.aborted) abort();
  return {
    signal: controller.signal,
    end: () => {
      clearTimeout(timer);
      given?.removeEventListener('abort', abort);
    },
  };
}

/** What went wrong, in podman's words. Of a pull it says so in the stream, long after it has said that all is well. */
function findError(
  method: ServiceRequest['method'],
  status: number,
  text: string,
): string | undefined {
  if (status < 300) {
    if (method !== 'POST') return undefined;
    return text
      .split('\n')
      .map(readError)
      .find((said) => said !== undefined);
  }
  const { message } = (parseJson(text) ?? {}) as { message?: unknown };
  return (typeof message === 'string' ? message : text).slice(0, MAX_ERROR_CHARACTERS);
}

function readError(line: string): string | undefined {
  const { error } = (parseJson(line) ?? {}) as { error?: unknown };
  return typeof error === 'string' ? error.slice(0, MAX_ERROR_CHARACTERS) : undefined;
}
