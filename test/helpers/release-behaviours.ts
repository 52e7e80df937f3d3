import SqliteDatabase from 'better-sqlite3';
import { MIGRATIONS } from '../../app/db/generated-migrations.ts';
import type { Migration } from '../../app/db/migrate-database.ts';

type OlderProgram = 'may-run' | 'must-not-run';

/**
 * What a release does that a good one does not. What concerns the worker happens in `http-server` only, so that the
 * release passes its self-check and gets as far as its trial.
 */
export type Behaviour =
  /** The worker ends with 1 at once. */
  | 'crash-at-start'
  /** The worker ends with 1 so long after it was ready. */
  | `crash-after-ms:${number}`
  /** The worker is killed so long after it was ready, so that its database is left as it happens to be. */
  | `killed-after-ms:${number}`
  /** The worker blocks its only thread at the start; a signal ends it unless it is to ignore that as well. */
  | 'hang'
  /** The worker does not end on SIGTERM. */
  | 'ignore-sigterm'
  | 'exit-78'
  | 'exit-10'
  /** The worker names another version when it is ready than everywhere else. */
  | 'wrong-version'
  /** `supervise` throws while it is being loaded. */
  | 'supervisor-throws'
  | 'self-check-fails'
  | 'self-check-hangs'
  /** A further migration with this number, `NEXT_MIGRATION` or higher; without SQL it makes a table. */
  | `migration:${number}:${OlderProgram}`
  | `migration:${number}:${OlderProgram}:${string}`
  /** A further migration that fails in the worker, but not in the self-check. */
  | 'migration-throws'
  /** A further migration that takes about so many milliseconds in the worker. */
  | `slow-migration:${number}`;

/** What a behaviour comes to: code that runs before the program, and migrations by the word it is called with. */
type Effects = {
  readonly prologue: string;
  readonly migrations: readonly { readonly plain: Migration; readonly worker: Migration }[];
};

/** The lowest number that a further migration can have. */
export const NEXT_MIGRATION = (MIGRATIONS.at(-1)?.version ?? 0) + 1;

/** The version that a worker with `wrong-version` names. */
export const WRONG_VERSION = '9.9.9';

const BLOCK = 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);';

/** In the scope of these: `role`, the subcommand, or `thread`. */
const PROLOGUES: Readonly<Record<string, (argument: string) => string>> = {
  'crash-at-start': () => inWorker('process.exit(1);'),
  'crash-after-ms': (ms) =>
    onReady(`setTimeout(() => process.exit(1), ${Number(ms)}); return ready;`),
  'killed-after-ms': (ms) =>
    onReady(`setTimeout(() => process.kill(process.pid, 'SIGKILL'), ${Number(ms)}); return ready;`),
  hang: () => inWorker(BLOCK),
  'ignore-sigterm': () =>
    inWorker(`process.on('SIGTERM', () => {});
    for (const name of ['on', 'once', 'addListener']) {
      const add = process[name];
      process[name] = function (event, listener) {
        return add.call(this, event, event === 'SIGTERM' ? () => {} : listener);
      };
    }`),
  'exit-78': () => inWorker('process.exit(78);'),
  'exit-10': () => inWorker('process.exit(10);'),
  'wrong-version': () => onReady(`return { ...ready, version: '${WRONG_VERSION}' };`),
  'supervisor-throws': () =>
    `if (role === 'supervise') throw new Error('this supervisor is broken on purpose');`,
  'self-check-fails': () =>
    inSelfCheck(`process.stderr.write('broken on purpose\\n'); process.exit(1);`),
  'self-check-hangs': () => inSelfCheck(BLOCK),
};

function inWorker(code: string): string {
  return `if (role === 'http-server') { ${code} }`;
}

function inSelfCheck(code: string): string {
  return `if (role === 'self-check' || role === '--self-check') { ${code} }`;
}

/** `code` returns what is sent in place of the message `ready`. */
function onReady(code: string): string {
  return inWorker(`if (process.send) {
    const send = process.send.bind(process);
    const change = (ready) => { ${code} };
    process.send = (message, ...rest) =>
      send(message?.kind === 'worker-ready' ? change(message) : message, ...rest);
  }`);
}

/** What these behaviours come to together. */
export function toEffects(behaviours: readonly Behaviour[]): Effects {
  // What blocks has to come last.
  const found = [...behaviours]
    .sort((a, b) => Number(a === 'hang') - Number(b === 'hang'))
    .map(toEffect);
  const migrations = found
    .flatMap((effects) => effects.migrations)
    .sort((a, b) => a.plain.version - b.plain.version);
  return { prologue: found.map(({ prologue }) => prologue).join('\n'), migrations };
}

function toEffect(behaviour: Behaviour): Effects {
  const [name = '', first = '', second = '', ...rest] = behaviour.split(':');
  const prologue = PROLOGUES[name];
  if (prologue) return { prologue: prologue(first), migrations: [] };
  switch (name) {
    case 'migration': {
      const sql = rest.join(':') || `CREATE TABLE release_${Number(first)} (x INTEGER) STRICT;`;
      return migrate(Number(first), second as OlderProgram, sql, sql);
    }
    case 'migration-throws':
      return migrate(NEXT_MIGRATION, 'may-run', 'INSERT INTO no_such_table VALUES (1);');
    case 'slow-migration':
      return migrate(NEXT_MIGRATION, 'may-run', countFor(Number(first)));
    default:
      throw new Error(`there is no behaviour ${behaviour}`);
  }
}

function migrate(version: number, older: OlderProgram, inWorker: string, plain = ''): Effects {
  if (version < NEXT_MIGRATION) throw new Error(`the sources have migration ${version} already`);
  const name = `${String(version).padStart(4, '0')}-of-release`;
  const toMigration = (sql: string) => ({
    version,
    name,
    sql: `-- older-program: ${older}\n${sql}\n`,
  });
  return {
    prologue: '',
    migrations: [{ plain: toMigration(plain), worker: toMigration(inWorker) }],
  };
}

/** SQL that keeps this machine busy for about so long. */
function countFor(ms: number): string {
  const count = (rows: number) =>
    `WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < ${rows}) SELECT sum(x) FROM n`;
  const sample = 500_000;
  const database = new SqliteDatabase(':memory:');
  const statement = database.prepare(count(sample));
  statement.get();
  const startedAt = performance.now();
  statement.get();
  const rowsAMillisecond = sample / (performance.now() - startedAt);
  database.close();
  return `CREATE TEMP TABLE slow AS ${count(Math.max(1, Math.round(ms * rowsAMillisecond)))}; DROP TABLE temp.slow;`;
}
