import { lstat, open, readdir } from 'node:fs/promises';
import { type FSWatcher, watch } from 'chokidar';
import type { Logger } from 'pino';
import type { Store } from '../db/store.ts';
import { type AutoUpdateLog, readAutoUpdateLog } from '../domain/auto-update-log.ts';
import { createSweeps, type Sweeps } from '../domain/sweeps.ts';
import { type ForeignRun, recordForeignRun } from './record-foreign-run.ts';

/** What the import works with. */
export type LogImportParts = {
  /** The folder of the wrapper: it is only read, and not made where it is not there. */
  readonly folder: string;
  /** The unit that stands for podman's auto-update. */
  readonly unit: string;
  readonly store: Store;
  readonly log: Logger;
  /** Told of each run that has become a task. */
  readonly onImported: (name: string, taskId: string, warnings: number) => void;
  /** A file without a summary is taken as it is when it has not changed for so long. */
  readonly quietMs: number;
  readonly sweepEveryMs?: number;
};

/** A watch may miss something, and the folder may be made later. */
const SWEEP_EVERY_MS = 60_000;
/** What is older was there before this program looked, or while it was away for long. */
const MAX_AGE_MS = 7 * 86_400_000;
const MAX_BYTES = 4 * 1024 * 1024;
/** Files of a folder that are looked at in one sweep; the others wait for the next. */
const MAX_FILES = 200;

/**
 * Makes a task of each run that a wrapper of podman's auto-update has logged (`*.jsonl`), with its warnings. The files belong
 * to the wrapper and are left as they are; each is taken once, when its summary is there or nothing is written to it any more.
 */
export class AutoUpdateLogImporter {
  readonly #parts: LogImportParts;
  /** What was taken, or is not looked at, so that nobody is asked of it again. */
  readonly #done = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #watcher: FSWatcher | undefined;
  readonly #sweeps: Sweeps;

  constructor(parts: LogImportParts) {
    this.#parts = parts;
    this.#sweeps = createSweeps(
      () => this.#sweep(),
      // The files stay, and the next sweep finds them.
      (error) => parts.log.error({ err: error }, 'importing logs of auto-update failed'),
    );
  }

  /** Imports what is there and, from now on, what comes. Nothing once it is closed. */
  start(): void {
    if (this.#sweeps.isClosed() || this.#timer) return;
    const { folder, log, sweepEveryMs = SWEEP_EVERY_MS } = this.#parts;
    this.#timer = setInterval(() => this.#sweeps.look(), sweepEveryMs);
    const look = () => this.#sweeps.look();
    this.#watcher = watch(folder, { depth: 0 })
      .on('add', look)
      .on('change', look)
      .on('error', (error) => log.warn({ err: error }, 'logs of auto-update are found late'));
    this.#sweeps.look();
  }

  /** Settles when nothing is being imported any more. */
  async close(): Promise<void> {
    const swept = this.#sweeps.close();
    clearInterval(this.#timer);
    await this.#watcher?.close();
    await swept;
  }

  async #sweep(): Promise<void> {
    const { folder } = this.#parts;
    const names = await readdir(folder).catch((): string[] => []);
    const isThere = new Set(names);
    // What is gone may come again under its name, and is known by the database then.
    for (const name of this.#done) if (!isThere.has(name)) this.#done.delete(name);
    const wanted = names.filter((name) => name.endsWith('.jsonl') && !this.#done.has(name));
    for (const name of wanted.sort().slice(0, MAX_FILES)) {
      if (this.#sweeps.isClosed()) return;
      if (await this.#import(name)) this.#done.add(name);
    }
  }

  /** Whether nothing is to be done about it any more. */
  async #import(name: string): Promise<boolean> {
    const { folder, store, unit, quietMs, onImported, log } = this.#parts;
    const key = `file:${name.slice(0, 500)}`;
    if (store.autoUpdateImports.has(key)) return true;
    const path = `${folder}/${name}`;
    const facts = await lstat(path).catch(() => undefined);
    // A pipe would hold up the reader, and a link leads elsewhere.
    if (!facts?.isFile()) return true;
    const ageMs = Date.now() - facts.mtimeMs;
    if (ageMs > MAX_AGE_MS) return true;
    const text = await readStart(path);
    const read = readAutoUpdateLog(text);
    if (read.counts === null && ageMs < quietMs && facts.size <= MAX_BYTES) return false;
    const isCut = facts.size > MAX_BYTES;
    const startedAtMs = Math.min(facts.birthtimeMs || facts.mtimeMs, facts.mtimeMs);
    const times = { startedAtMs: Math.floor(startedAtMs), endedAtMs: Math.floor(facts.mtimeMs) };
    const run = toRun({ ...{ key, unit, name, read, isCut }, ...times });
    const task = recordForeignRun(store, run);
    if (task !== undefined) {
      log.info({ file: name, task, warnings: read.warningCount }, 'log of auto-update imported');
      onImported(name, task, read.warningCount);
    }
    return true;
  }
}

type Facts = {
  readonly key: string;
  readonly unit: string;
  readonly name: string;
  readonly read: AutoUpdateLog;
  readonly isCut: boolean;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
};

function toRun({ key, unit, name, read, isCut, startedAtMs, endedAtMs }: Facts): ForeignRun {
  const { counts, warnings, warningCount, lines, faults } = read;
  const isBad = counts !== null && counts.failed > 0;
  const said = counts
    ? `${counts.succeeded} of ${counts.total} succeeded, ${counts.failed} failed`
    : 'its log has no summary';
  const warned = warningCount === 0 ? '' : `, with ${warningCount} warnings`;
  const summary = `podman's auto-update, as ${name} tells: ${said}${warned}.`;
  const shown = warnings.map(({ type, at }) => ({ type, at }));
  return {
    ...{ name: key, unit, source: 'auto-update-log', startedAtMs, endedAtMs, summary },
    status: counts === null ? 'unknown' : isBad ? 'failed' : 'succeeded',
    code: isBad ? 'AUTO_UPDATE_FAILED' : null,
    entries: [
      {
        ...{ level: 'info', action: 'auto-update-log', summary },
        meta: { log_file: name, counts, lines, unreadable_lines: faults, truncated: isCut },
      },
      ...(warningCount === 0
        ? []
        : [
            {
              ...{ level: 'warning' as const, action: 'auto-update-warnings' },
              summary: `${warningCount} warnings.`,
              meta: { unit, log_file: name, warning_count: warningCount, warnings: shown },
            },
          ]),
      ...warnings.map(({ type, message, event }) => ({
        level: type === 'auto-update-error' ? ('error' as const) : ('warning' as const),
        action: 'auto-update-warning',
        summary: `[${type}] ${message}`.trimEnd(),
        meta: {
          unit,
          log_file: name,
          event: event === null ? null : (JSON.parse(event) as object),
        },
      })),
    ],
  };
}

/** What is beyond the bound is not read: it says how much of it there is. */
async function readStart(path: string): Promise<string> {
  await using file = await open(path, 'r');
  const bytes = Buffer.alloc(MAX_BYTES);
  let filled = 0;
  for (;;) {
    const { bytesRead } = await file.read(bytes, filled, MAX_BYTES - filled, filled);
    filled += bytesRead;
    if (bytesRead === 0 || filled === MAX_BYTES) return bytes.toString('utf8', 0, filled);
  }
}
