import { join } from 'node:path';
import { OutputCollector } from '../../shared/process/output-collector.ts';
import type {
  Command,
  CommandEnd,
  CommandResult,
  ManagerRequest,
} from '../../shared/process/run-command.ts';
import { unitPath } from './bus-name.ts';
import { connectManager, type ManagerConnection } from './manager-connection.ts';

const UNIT_FACE = 'org.freedesktop.systemd1.Unit';
const SERVICE_FACE = 'org.freedesktop.systemd1.Service';
/** What is asked of a service and no other kind of unit has. */
const OF_SERVICES: ReadonlySet<string> = new Set(['Result', 'MainPID', 'NRestarts']);
const DEFAULT_MAX_OUTPUT_BYTES = 32_768;
/** Whoever is connected hears of every change of every unit: nobody is who has nothing to ask. */
const IDLE_MS = 2_000;

/** The service manager of this host, in place of one process of systemctl(1) or busctl(1) for each question. */
export type ManagerService = {
  /**
   * What the manager answers, in the words that the command would print; undefined where it cannot be asked, or did not
   * answer to the end: then nobody knows.
   */
  answer(command: Command, request: ManagerRequest): Promise<CommandResult | undefined>;
  close(): void;
};

/** `folder` is the one of the runtime files of the manager: /run, or $XDG_RUNTIME_DIR. */
export function createManagerService(folder: string): ManagerService {
  let connection: Promise<ManagerConnection> | undefined;
  let open: ManagerConnection | undefined;
  let asking = 0;
  let idle: NodeJS.Timeout | undefined;

  function leave(): void {
    asking--;
    if (asking > 0) return;
    clearTimeout(idle);
    idle = setTimeout(() => open?.close(), IDLE_MS).unref();
  }

  async function connect(): Promise<ManagerConnection | undefined> {
    if (open && !open.isClosed()) return open;
    connection ??= connectManager(join(folder, 'systemd/private'));
    try {
      open = await connection;
      return open;
    } catch {
      return undefined;
    } finally {
      connection = undefined;
    }
  }

  return {
    answer: async (command, request) => {
      const startedAt = performance.now();
      clearTimeout(idle);
      asking++;
      const ended = new AbortController();
      const cut = untilCutOff(command, ended.signal);
      const answer = connect().then((manager) => manager && ask(manager, request));
      const answered = await Promise.race([answer, cut]).finally(leave);
      ended.abort();
      const stdout = new OutputCollector(command.maxOutputBytes ?? DEFAULT_MAX_OUTPUT_BYTES);
      if (answered === undefined) return undefined;
      if ('text' in answered) stdout.add(Buffer.from(answered.text));
      return {
        argv: command.argv,
        end: 'kind' in answered ? answered : endOf(request, 'error' in answered ? 500 : 200),
        durationMs: Math.round(performance.now() - startedAt),
        ...{ stdout: stdout.text(), stderr: 'error' in answered ? answered.error : '' },
        ...{ stdoutDropped: stdout.dropped, stderrDropped: 0 },
      };
    },
    close: () => {
      clearTimeout(idle);
      open?.close();
    },
  };
}

function endOf(request: ManagerRequest, status: number): CommandEnd {
  const isReading = request.kind === 'show' || request.kind === 'get';
  const [unit] = 'unit' in request ? [request.unit] : request.units;
  const path = `${unitPath(unit ?? '')}#${request.kind}`;
  return { kind: 'answered', status, method: isReading ? 'GET' : 'POST', path };
}

/** How a command that is cut off ends; for ever open where it is not, until `ended`. */
function untilCutOff({ timeoutMs, signal }: Command, ended: AbortSignal): Promise<CommandEnd> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve({ kind: 'timed-out' }), timeoutMs);
    ended.addEventListener('abort', () => clearTimeout(timer), { once: true });
    const onAbort = () => resolve({ kind: 'aborted' });
    signal?.addEventListener('abort', onAbort, { once: true, signal: ended });
    if (signal?.aborted) onAbort();
  });
}

type Answer = { readonly text: string } | { readonly error: string };

/** Undefined where the connection broke, or was never good. */
async function ask(
  manager: ManagerConnection,
  request: ManagerRequest,
): Promise<Answer | undefined> {
  try {
    switch (request.kind) {
      case 'show':
        return { text: await show(manager, request.units, request.names) };
      case 'get':
        return { text: await get(manager, request) };
      case 'reset-failed':
        return await resetFailed(manager, request.units);
      case 'restart':
        return await restart(manager, request.unit);
    }
  } catch (error) {
    const said = readError(error);
    return said === undefined ? undefined : { error: said };
  }
}

/** What the manager says of its refusal; undefined for everything that it has not said. */
function readError(error: unknown): string | undefined {
  const { dbusName, message } = error as { dbusName?: unknown; message?: unknown };
  return typeof dbusName === 'string' && typeof message === 'string' ? message : undefined;
}

/** As `systemctl show` does: a paragraph for each unit, without the properties that its kind does not have. */
async function show(
  manager: ManagerConnection,
  units: readonly string[],
  names: readonly string[],
): Promise<string> {
  const ofUnit = async (unit: string) => {
    const path = unitPath(unit);
    const lines = await Promise.all(
      names.map(async (name) => {
        const isOfService = OF_SERVICES.has(name);
        if (isOfService && !unit.endsWith('.service')) return [];
        const face = isOfService ? SERVICE_FACE : UNIT_FACE;
        return [`${name}=${print(name, await manager.getProperty(path, face, name))}\n`];
      }),
    );
    return lines.flat().join('');
  };
  return (await Promise.all(units.map(ofUnit))).join('\n');
}

function print(name: string, value: unknown): string {
  // A number and a path; without a job 0.
  if (name === 'Job')
    return (value as [number, string])[0] === 0 ? '' : String((value as [number])[0]);
  return Array.isArray(value) ? value.join(' ') : String(value);
}

/** As `busctl --json=short get-property` does. */
async function get(
  manager: ManagerConnection,
  { unit, face, names }: Extract<ManagerRequest, { kind: 'get' }>,
): Promise<string> {
  const path = unitPath(unit);
  const whole = face === 'Unit' ? UNIT_FACE : SERVICE_FACE;
  const values = await Promise.all(names.map((name) => manager.getProperty(path, whole, name)));
  const plain = (_name: string, value: unknown) =>
    typeof value === 'bigint' ? Number(value) : value;
  return values.map((data) => `${JSON.stringify({ data }, plain)}\n`).join('');
}

async function resetFailed(manager: ManagerConnection, units: readonly string[]): Promise<Answer> {
  const reset = async (unit: string) => {
    try {
      await manager.callManager('ResetFailedUnit', unit);
      return [];
    } catch (error) {
      const said = readError(error);
      if (said === undefined) throw error;
      return [`Failed to reset failed state of unit ${unit}: ${said}`];
    }
  };
  const errors = (await Promise.all(units.map(reset))).flat();
  return errors.length === 0 ? { text: '' } : { error: errors.join('\n') };
}

async function restart(manager: ManagerConnection, unit: string): Promise<Answer> {
  const job = await manager.callManager('RestartUnit', unit, 'replace');
  const result = await manager.untilJobEnded(String(job));
  if (result === 'done' || result === 'skipped') return { text: '' };
  return { error: await explainJob(manager, unit, result) };
}

/** What systemctl(1) says of a job that did not come to a good end. */
async function explainJob(
  manager: ManagerConnection,
  unit: string,
  result: string,
): Promise<string> {
  if (result === 'canceled') return `Job for ${unit} canceled.`;
  if (result === 'timeout') return `Job for ${unit} timed out.`;
  if (result === 'dependency') return `A dependency job for ${unit} failed.`;
  if (result !== 'failed') return `Job for ${unit} ended as ${result}.`;
  const why = String(await manager.getProperty(unitPath(unit), SERVICE_FACE, 'Result'));
  return `Job for ${unit} failed because ${RESULTS[why] ?? `of "${why}"`}.`;
}

/** Of systemd.service(5), `$SERVICE_RESULT`, as systemctl(1) says it. */
const RESULTS: Readonly<Record<string, string>> = {
  'exit-code': 'the control process exited with error code',
  'core-dump': 'a fatal signal was delivered causing the control process to dump core',
  resources: 'of unavailable resources or another system error',
  protocol: 'the service did not take the steps required by its unit configuration',
  signal: 'a fatal signal was delivered to the control process',
  'start-limit-hit': 'start of the service was attempted too often',
  timeout: 'a timeout was exceeded',
  watchdog: 'the service failed to send watchdog ping',
  'oom-kill': 'a step of it was killed by the kernel because of its memory',
};
