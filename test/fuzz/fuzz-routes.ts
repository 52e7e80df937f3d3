import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type RawRequest, sendRequest } from './raw-request.ts';
import type { Serving } from './serve.ts';

/** A served program that is sent requests, and what becomes of it. */
export type Victim = {
  readonly serving: Serving;
  /** Sends one request. Rejects where the answer is none that anything may get, and where the process has ended. */
  send(request: RawRequest): Promise<number | undefined>;
  /** The highest that its memory has been, in bytes. */
  peakBytes(): number;
  /** Ends it as a stop of the service does. Rejects where it does not end well, or has said anything on standard error. */
  stop(): Promise<void>;
};

const SERVE = join(import.meta.dirname, 'serve.ts');
/** Of the heap. A process that keeps what it is sent comes to its end there. */
const MAX_HEAP_MIB = 256;
/** Of the whole process, buffers and the database too. */
export const MAX_MEMORY_BYTES = 512 * 1024 * 1024;

/** Starts it in a folder of its own, which is gone with it. */
export async function startVictim(): Promise<Victim> {
  const folder = mkdtempSync(join(tmpdir(), 'podup fuzz é '));
  const child = spawn(process.execPath, [`--max-old-space-size=${MAX_HEAP_MIB}`, SERVE, folder], {
    // It ends when its standard input does: with this process, whatever becomes of that.
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = `${stderr}${text}`.slice(-20_000);
  });
  const exited = once(child, 'exit');
  const dead = exited.then(([code, signal]) => {
    throw new Error(`it ended by itself: ${code ?? signal}\n${stderr}`);
  });
  dead.catch(() => undefined);
  const [line] = await Promise.race([once(createInterface(child.stdout), 'line'), dead]);
  const serving: Serving = JSON.parse(line);
  let peak = 0;
  const look = () => {
    peak = Math.max(peak, readMemory(child));
    assert.ok(peak < MAX_MEMORY_BYTES, `${peak} bytes of memory`);
  };
  let sent = 0;
  return {
    serving,
    send: async (request) => {
      const from = `127.${sent % 200}.${Math.floor(sent / 200) % 250}.1`;
      sent++;
      const answer = await Promise.race([sendRequest(serving.port, from, request), dead]);
      assert.notEqual(answer.status, 500, answer.text.slice(0, 2_000));
      if (sent % 500 === 0) look();
      return answer.status;
    },
    peakBytes: () => {
      look();
      return peak;
    },
    stop: async () => {
      child.kill('SIGTERM');
      const [code] = await exited;
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
      assert.deepEqual([code, stderr], [0, '']);
    },
  };
}

/** What the kernel counts as its memory (proc_pid_status(5)). */
function readMemory({ pid }: ChildProcess): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
}
