/**
 * `npm start`: serves the product under its supervisor, with state in .state/ beside the sources and an admin token
 * that is made on the first start. For trying it out and for development; a host runs the program itself.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { SUPERVISOR_DEFAULTS } from '../shared/config/supervisor-settings.ts';
import { EXIT } from '../shared/contract/exit-codes.ts';
import { writeFileDurably } from '../shared/fs/durable-file.ts';

const root = join(import.meta.dirname, '..');
const environment = { ...process.env };
const stateDir = resolve(environment['PODUP_STATE_DIR'] || join(root, '.state'));
const address = environment['PODUP_HTTP_ADDR'] || SUPERVISOR_DEFAULTS.PODUP_HTTP_ADDR;
environment['PODUP_STATE_DIR'] = stateDir;

/** The configured token is the user's affair; without one, a file readable by this user only holds one. */
function describeToken(): string {
  if (environment['PODUP_TOKEN']) return '(PODUP_TOKEN)';
  if (environment['PODUP_TOKEN_FILE']) return `(in ${environment['PODUP_TOKEN_FILE']})`;
  const file = join(stateDir, 'admin-token');
  if (!existsSync(file)) {
    mkdirSync(stateDir, { recursive: true, mode: 0o700 });
    writeFileDurably(file, `${randomBytes(24).toString('base64url')}\n`);
  }
  environment['PODUP_TOKEN_FILE'] = file;
  return readFileSync(file, 'utf8').trim();
}

function printWelcome(token: string): void {
  const hasSecret =
    environment['PODUP_GH_WEBHOOK_SECRET'] || environment['PODUP_GH_WEBHOOK_SECRET_FILE'];
  console.log(`
pod-upgrade-trigger serves on  http://${address}
admin token                    ${token}
state                          ${stateDir}

Try next:
  1. curl http://${address}/health
  2. curl -H 'Authorization: Bearer ${token.startsWith('(') ? 'TOKEN' : token}' http://${address}/api/tasks
  3. npm run demo   # in a second terminal: a real push, a real container, told line by line
${
  hasSecret
    ? ''
    : '\nWebhooks are refused until PODUP_GH_WEBHOOK_SECRET is set, and touch only units in PODUP_MANUAL_UNITS.\n'
}
Ctrl-C stops it.
`);
}

const token = describeToken();
const program = join(root, 'dist', 'pod-upgrade-trigger.mjs');
const supervisor = spawn(process.execPath, [program, 'supervise'], {
  stdio: ['inherit', 'pipe', 'inherit'],
  env: environment,
});
let isWelcome = false;
createInterface({ input: supervisor.stdout }).on('line', (line) => {
  console.log(line);
  if (isWelcome || !line.includes('"msg":"serving"')) return;
  isWelcome = true;
  printWelcome(token);
});
// A Ctrl-C reaches the supervisor by itself, for it shares the terminal; anything else is passed on.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => supervisor.kill('SIGTERM'));
// To the supervisor itself a SIGHUP means "replace the worker"; a terminal that is closed means the end.
process.on('SIGHUP', () => supervisor.kill('SIGTERM'));
const [code] = (await once(supervisor, 'exit')) as [number | null];
process.exit(code ?? EXIT.failure);
