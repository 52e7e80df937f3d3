/**
 * Writes docs/openapi.json: what a worker that has just been started says at /openapi.json. With --check says whether the
 * file has drifted (exit 1).
 *   node scripts/describe-api.ts [--check]
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startWorker } from '../app/worker.ts';
import { loadSettings } from '../shared/config/load-settings.ts';
import { makeDirectoryDurably } from '../shared/fs/durable-file.ts';
import { createLogger } from '../shared/log/create-logger.ts';

const file = join(import.meta.dirname, '../docs/openapi.json');

/** No setting of whoever runs this, and neither a user manager nor podman. */
async function askWorker(folder: string): Promise<string> {
  const environment = { PATH: process.env['PATH'], PODUP_STATE_DIR: folder };
  const settings = loadSettings(environment);
  if (!settings.ok) throw new Error(JSON.stringify(settings));
  const { loaded } = settings;
  makeDirectoryDurably(loaded.paths.intakeDir);
  const started = await startWorker({
    loaded,
    log: createLogger({ name: 'describe-api', level: 'error', secrets: [] }),
    program: [process.execPath],
    environment,
    onDeath: (error) => {
      throw error;
    },
  });
  if (!started.ok) throw new Error(started.failure.detail);
  const { app, stop } = started.value;
  try {
    const { statusCode, body } = await app.inject('/openapi.json');
    if (statusCode !== 200) throw new Error(body);
    return `${JSON.stringify(JSON.parse(body), null, 2)}\n`;
  } finally {
    await stop();
  }
}

const folder = mkdtempSync(join(tmpdir(), 'podup-api-'));
try {
  const text = await askWorker(folder);
  const isCurrent = existsSync(file) && readFileSync(file, 'utf8') === text;
  if (!process.argv.includes('--check')) writeFileSync(file, text);
  else if (!isCurrent) {
    console.error('docs/openapi.json has drifted; run: npm run generate');
    process.exitCode = 1;
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
