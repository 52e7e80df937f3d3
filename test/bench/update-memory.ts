import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { PROGRAM_FILE } from '../helpers/product.ts';
import { readAnonymousBytes } from './idle-memory.ts';

const QUIET_MS = 8_000;

/** What the supervisor of the built program holds for itself when it rests, in millions of bytes. */
export async function measureIdleSupervisor(): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'podup-idle-'));
  const child = spawn(process.execPath, [PROGRAM_FILE, 'supervise'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: process.env['PATH'], PODUP_STATE_DIR: folder, PODUP_HTTP_ADDR: '127.0.0.1:0' },
  });
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      if (line.includes('"worker ready"')) break;
    }
    await delay(QUIET_MS);
    return readAnonymousBytes(child.pid ?? 0) / 1e6;
  } finally {
    child.kill('SIGTERM');
    child.stdout.resume();
    await once(child, 'exit');
    rmSync(folder, { recursive: true, force: true });
  }
}
