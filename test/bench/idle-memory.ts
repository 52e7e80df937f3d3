import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Children } from './children.ts';
import type { Delivery } from './deliveries.ts';
import { startOurs } from './servers.ts';

/** What supervisor and worker hold, in bytes. */
export type IdleMemory = { readonly supervisor: number; readonly worker: number };

const QUIET_MS = 10_000;
const DELIVERIES_EACH = 3;

/** Starts the program anew, has it load everything that a worker loads, and reads what it holds when it rests. */
export async function measureIdleMemory(
  children: Children,
  folder: string,
  deliveries: readonly Delivery[],
  signal: AbortSignal,
): Promise<IdleMemory> {
  const server = await startOurs(children, folder);
  for (const delivery of deliveries) {
    for (let sent = 0; sent < DELIVERIES_EACH; sent++) await send(server.url, delivery, signal);
  }
  // Degraded is an answer too: nothing here asks how the host is.
  await (await fetch(new URL('/health', server.url), { signal })).text();
  await delay(QUIET_MS, undefined, { signal });
  const [supervisor = 0, worker = 0] = server.pids.map(readAnonymousBytes);
  await children.end(server.child);
  return { supervisor, worker };
}

async function send(url: string, delivery: Delivery, signal: AbortSignal): Promise<void> {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-github-event': 'registry_package',
      'x-github-delivery': crypto.randomUUID(),
      'x-hub-signature-256': delivery.signature,
    },
    body: readFileSync(delivery.file),
    signal,
  });
  if (response.status !== 202) throw new Error(`${response.status}: ${await response.text()}`);
  await response.text();
}

/** RssAnon, proc_pid_status(5): what is not a file that could be read again. */
export function readAnonymousBytes(pid: number): number {
  const kilobytes = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  if (kilobytes === undefined) throw new Error(`The memory of process ${pid} cannot be read.`);
  return Number(kilobytes) * 1024;
}
