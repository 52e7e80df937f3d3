import { existsSync } from 'node:fs';
import SqliteDatabase from 'better-sqlite3';
import { Installation, type Service } from '../helpers/installation.ts';
import type { LogLine } from '../helpers/product.ts';
import { type Behaviour, NEXT_MIGRATION } from '../helpers/release-behaviours.ts';
import { until } from '../helpers/until.ts';

const PATIENCE_MS = 60_000;
const DATABASE_BYTES = 100_000_000;

/** When a line was logged, in milliseconds since the epoch. */
const at = (line: LogLine) => Date.parse(String(line['time']));
const inState = (state: string) => (line: LogLine) =>
  line.msg === 'self-update' && line['state'] === state;

async function withInstallation<T>(
  environment: Readonly<Record<string, string>>,
  act: (installation: Installation) => Promise<T>,
): Promise<T> {
  const installation = await Installation.make({ environment });
  try {
    return await act(installation);
  } finally {
    await installation[Symbol.asyncDispose]();
  }
}

/** From the start of a launcher to the first good answer of the program. */
async function timeStart(installation: Installation): Promise<number> {
  const startedAt = performance.now();
  const service = installation.start();
  await serves(service);
  return performance.now() - startedAt;
}

function serves(service: Service): Promise<unknown> {
  return until('a good answer', PATIENCE_MS, () =>
    service.address === 'undefined' ? undefined : service.version().catch(() => undefined),
  );
}

/** Kills everything at once, as a power cut does to processes, and starts anew. */
export function measureKill(when: 'none' | 'at rest' | 'in trial'): Promise<number> {
  return withInstallation({ PODUP_SELF_UPDATE_SOAK_MS: '20000' }, async (installation) => {
    if (when === 'none') return timeStart(installation);
    const service = installation.start();
    await service.ready();
    if (when === 'in trial') {
      await installation.offer({ version: '1.1.0', generation: 2 });
      await installation.ask({ command: 'run' });
      await service.logged(inState('trial'));
      await service.ready(service.lines.findIndex(inState('trial')));
    }
    const { workerPid, child } = service;
    child.kill('SIGKILL');
    process.kill(workerPid, 'SIGKILL');
    await service.exited;
    return timeStart(installation);
  });
}

/** The longest stretch without a ready worker in an update that succeeds. */
export function measurePlainUpdate(): Promise<number> {
  return withInstallation({}, async (installation) => {
    const service = installation.start();
    await service.ready();
    await installation.offer({ version: '1.1.0', generation: 2 });
    const { outcome } = await installation.update();
    if (outcome !== 'committed') throw new Error(`the update ended as ${outcome}`);
    const stopped = service.lines.flatMap((line, index) =>
      line.msg === 'worker stopped' ? [index] : [],
    );
    const gaps = stopped.map((index) => {
      const ready = service.lines.slice(index).find(({ msg }) => msg === 'worker ready');
      const line = service.lines[index];
      return ready && line ? at(ready) - at(line) : Number.NaN;
    });
    return Math.max(...gaps);
  });
}

/** From the exchange of the program to the old worker being ready again. */
export const measureCrashAtStart = () => measureWayBack('crash-at-start', 'trial', {});

/** The same for a version that never gets ready. */
export const measureHang = (deadlineMs: number) =>
  measureWayBack('hang', 'trial', { PODUP_SELF_UPDATE_START_TIMEOUT_MS: String(deadlineMs) });

/** From the decision to go back to the old worker being ready, with a large database to be put back. */
export const measureRestore = () =>
  measureWayBack(
    [`migration:${NEXT_MIGRATION}:must-not-run`, 'crash-after-ms:1'],
    'rolling-back',
    {},
    true,
  );

function measureWayBack(
  behaviour: Behaviour | readonly Behaviour[],
  from: 'trial' | 'rolling-back',
  environment: Readonly<Record<string, string>>,
  isLarge = false,
): Promise<number> {
  return withInstallation(environment, async (installation) => {
    const service = installation.start();
    await service.ready();
    if (isLarge) fill(installation.paths.database);
    await installation.offer({ version: '1.1.0', generation: 2, break: behaviour });
    const { outcome, databaseRestored } = await installation.update();
    if (outcome !== 'rolled-back') throw new Error(`the update ended as ${outcome}`);
    if (databaseRestored !== isLarge) throw new Error('the database was not treated as it should');
    if (existsSync(installation.paths.updateRecord)) throw new Error('the record is still there');
    const begin = service.lines.findIndex(inState(from));
    const back = service.lines.findIndex(inState('rolling-back'));
    const ready = service.lines.slice(back).find(({ msg }) => msg === 'worker ready');
    const first = service.lines[begin];
    if (!ready || !first) throw new Error(service.output);
    return at(ready) - at(first);
  });
}

function fill(path: string): void {
  const database = new SqliteDatabase(path);
  database.exec('CREATE TABLE filling (bytes BLOB) STRICT');
  const insert = database.prepare('INSERT INTO filling VALUES (randomblob(?))');
  database.transaction(() => {
    for (let bytes = 0; bytes < DATABASE_BYTES; bytes += 1_000_000) insert.run(1_000_000);
  })();
  database.close();
}
