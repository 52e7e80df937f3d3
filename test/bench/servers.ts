import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Children, childrenOf } from './children.ts';
import { SECRET, UNIT } from './deliveries.ts';
import { writeHostStub } from './host-stub.ts';

/** A server that accepts the deliveries of the bench. */
export type BenchServer = {
  readonly name: string;
  readonly url: string;
  readonly child: ChildProcess;
  /** Of all its processes. */
  readonly pids: readonly number[];
};

const ROOT = join(import.meta.dirname, '../..');
const SERVING_WITHIN_MS = 30_000;
const PASSED_ON = { PATH: process.env['PATH'], HOME: process.env['HOME'] };

/** The built program with its supervisor, the log to a file and every setting that matters here at its default. */
export async function startOurs(children: Children, folder: string): Promise<BenchServer> {
  mkdirSync(folder);
  const host = join(folder, 'host');
  writeHostStub(host);
  const port = await findFreePort();
  const program = [process.execPath, join(ROOT, 'dist/pod-upgrade-trigger.mjs'), 'supervise'];
  const environment = {
    ...PASSED_ON,
    PATH: `${host}:${PASSED_ON.PATH}`,
    PODUP_HTTP_ADDR: `127.0.0.1:${port}`,
    PODUP_STATE_DIR: join(folder, 'state'),
    PODUP_MANUAL_UNITS: UNIT,
    PODUP_GH_WEBHOOK_SECRET: SECRET,
    PODUP_TASK_EXECUTOR: 'systemd-run',
  };
  const path = `/github-package-update/${UNIT}`;
  return serve(children, { name: 'ours', port, path, program, environment, folder });
}

/**
 * adnanh/webhook with the rule for GitHub and a command that does nothing. As it comes it answers at once and keeps the
 * deliveries in memory until their commands get their turn; a crash loses them. Only when it waits for the command
 * does its answer mean that somebody has taken the delivery over, which is what ours means.
 */
export async function startWebhook(
  children: Children,
  folder: string,
  { waits }: { readonly waits: boolean },
): Promise<BenchServer> {
  mkdirSync(folder);
  const port = await findFreePort();
  const hooks = join(folder, 'hooks.json');
  const parameter = { source: 'header', name: 'X-Hub-Signature-256' };
  const match = { type: 'payload-hmac-sha256', secret: SECRET, parameter };
  const hook = {
    id: 'bench',
    'execute-command': '/bin/true',
    'include-command-output-in-response': waits,
    'trigger-rule': { match },
  };
  writeFileSync(hooks, JSON.stringify([hook]), { mode: 0o600 });
  const place = ['-ip', '127.0.0.1', '-port', String(port)];
  const program = ['webhook', '-hooks', hooks, ...place, '-verbose=false'];
  const environment = PASSED_ON;
  return serve(children, {
    name: waits ? 'webhook' : 'webhook-early',
    port,
    path: '/hooks/bench',
    program,
    environment,
    folder,
  });
}

/** The least that does the same in Node. */
export async function startBare(children: Children, folder: string): Promise<BenchServer> {
  mkdirSync(folder);
  const port = await findFreePort();
  const script = join(import.meta.dirname, 'bare-intake.ts');
  const program = [process.execPath, script, String(port), join(folder, 'appended')];
  const environment = { ...PASSED_ON, BENCH_SECRET: SECRET };
  return serve(children, { name: 'bare', port, path: '/', program, environment, folder });
}

type Start = {
  readonly name: string;
  readonly port: number;
  readonly path: string;
  readonly program: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  readonly folder: string;
};

async function serve(children: Children, start: Start): Promise<BenchServer> {
  const { name, port, path } = start;
  const output = join(start.folder, 'output');
  const child = children.start(start.program, start.environment, output);
  const limit = performance.now() + SERVING_WITHIN_MS;
  while (!(await canConnect(port))) {
    const hasEnded =
      child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
    if (hasEnded || performance.now() > limit) {
      throw new Error(`${name} does not serve:\n${readFileSync(output, 'utf8').slice(-4000)}`);
    }
    await delay(50);
  }
  const pid = child.pid ?? 0;
  return { name, url: `http://127.0.0.1:${port}${path}`, child, pids: [pid, ...childrenOf(pid)] };
}

export async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function canConnect(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
