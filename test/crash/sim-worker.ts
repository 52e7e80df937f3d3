import type { Event } from '../../supervisor/core/event.ts';
import type { Facts } from './sim-facts.ts';
import type { SimFs } from './sim-fs.ts';
import { PATHS } from './sim-paths.ts';
import {
  closeDatabase,
  type Database,
  databaseText,
  identityOf,
  mayRunOn,
  migrate,
  type Program,
  readDatabase,
  type Trouble,
  writeDatabase,
} from './sim-programs.ts';

/** What a worker lives in. */
export type WorkerParts = {
  readonly fs: SimFs;
  readonly facts: Facts;
  readonly program: Program;
  readonly trouble: Trouble;
  readonly trial: boolean;
  /** The version of the supervisor. */
  readonly under: string;
  readonly openTxn: () => string | null;
  readonly tell: (event: Event) => void;
  readonly violate: (rule: string) => void;
};

/** The spool has forgotten what the database does not have. */
export const GONE = 'deliveries are gone from spool and database';

const NEW_DATABASE: Database = { schema: 0, oldest: 0, rows: [], taken: 0 };

type Phase = 'starting' | 'ready' | 'told-to-stop' | 'gone';

/** A worker: one step at a time, as the host lets it. */
export class SimWorker {
  readonly #parts: WorkerParts;
  #phase: Phase = 'starting';

  constructor(parts: WorkerParts) {
    this.#parts = parts;
  }

  get program(): Program {
    return this.#parts.program;
  }

  get isReady(): boolean {
    return this.#phase === 'ready';
  }

  get isGone(): boolean {
    return this.#phase === 'gone';
  }

  /** Whether its next step comes by itself. */
  get isAboutToMove(): boolean {
    const { trouble, trial } = this.#parts;
    if (this.#phase === 'starting') return trouble !== 'hangs';
    if (this.#phase === 'ready') return trouble === 'dies-later' && trial;
    return this.#phase === 'told-to-stop';
  }

  move(): void {
    switch (this.#phase) {
      case 'starting':
        this.#start();
        return;
      case 'ready':
        this.end(1, null);
        return;
      case 'told-to-stop':
        if (this.#parts.trouble !== 'cannot-back-up') {
          closeDatabase(this.#parts.fs, PATHS.database);
        }
        this.end(0, null);
        return;
      case 'gone':
        return;
    }
  }

  stop(): void {
    if (this.#phase !== 'gone') this.#phase = 'told-to-stop';
  }

  end(code: number | null, signal: string | null): void {
    if (this.#phase === 'gone') return;
    this.#phase = 'gone';
    this.#parts.tell({ kind: 'worker-exited', code, signal, adopted: false });
  }

  /** The spool may forget what the database has, but not while an update may put the database back. */
  trimSpool(): void {
    const { fs, facts } = this.#parts;
    const database = readDatabase(fs, PATHS.database);
    if (database && !fs.facts(PATHS.updateRecord)) facts.spoolStart = database.taken;
  }

  #start(): void {
    const { fs, program, trouble } = this.#parts;
    const found = readDatabase(fs, PATHS.database);
    const refusal = this.#refuse(found);
    if (refusal !== undefined) {
      this.end(refusal, null);
      return;
    }
    const database = found ?? NEW_DATABASE;
    if (!found) fs.put(PATHS.database, databaseText(database));
    const migrated = migrate(program, database);
    if (migrated !== database) writeDatabase(fs, PATHS.database, migrated);
    if (trouble === 'dies-after-migration') {
      this.end(1, null);
      return;
    }
    this.#serve(migrated);
    this.#phase = 'ready';
    const { version, digest } = identityOf(program);
    const readiness = {
      version: trouble === 'stranger' ? '9.9.9' : version,
      digest,
      schema: migrated.schema,
    };
    this.#parts.tell({ kind: 'worker-ready', readiness });
  }

  /** The exit code of a worker that leaves before it touches anything. */
  #refuse(database: Database | null | undefined): number | undefined {
    const { program, trouble, violate, under } = this.#parts;
    if (database === null) {
      violate('the database is broken');
      return 1;
    }
    if (database && !mayRunOn(program, database)) {
      violate(`${program.version} was started on a database that it may not run on`);
      return 1;
    }
    if (trouble === 'refuses-configuration') return 78;
    const isTooNew = trouble === 'dies-under-itself' && under === program.version;
    return trouble === 'dies-at-start' || isTooNew ? 1 : undefined;
  }

  /** A webhook comes and is taken over, and somebody writes a row through the API. */
  #serve(database: Database): void {
    const { fs, facts, program, openTxn, violate } = this.#parts;
    facts.deliveries++;
    if (database.taken < facts.spoolStart) violate(GONE);
    const from = Math.max(database.taken, facts.spoolStart);
    const news = Array.from(
      { length: facts.deliveries - from },
      (_, index) => `delivery ${from + index}`,
    );
    const row = `row ${facts.deliveries} of ${program.version}`;
    writeDatabase(fs, PATHS.database, {
      ...database,
      rows: [...database.rows, ...news, row],
      taken: facts.deliveries,
    });
    facts.acknowledged = [...facts.acknowledged, { row, by: program.version, txn: openTxn() }];
    this.trimSpool();
  }
}
