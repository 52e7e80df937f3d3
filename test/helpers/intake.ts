import type { TestContext } from 'node:test';
import { openDatabase } from '../../app/db/open-database.ts';
import type { Store } from '../../app/db/store.ts';
import { Intake } from '../../app/intake/intake.ts';
import { type OnTaken, SpoolTaker } from '../../app/intake/spool-taker.ts';
import { keepLog } from './log-lines.ts';
import { openTestStore } from './store.ts';
import { makeTempFolder } from './temp-folder.ts';

/** An intake over a real spool and a real database. */
export type TestIntake = {
  readonly folder: string;
  readonly databasePath: string;
  readonly store: Store;
  readonly intake: Intake;
  readonly lines: ReturnType<typeof keepLog>['lines'];
  /** How often new tasks were reported. */
  reports(): number;
  /** Settles at the next report of new tasks. */
  nextReport(): Promise<void>;
  /** Ids of all deliveries that the database has, in the order in which it got them. */
  storedIds(): unknown[];
  /** Runs SQL from a second connection. */
  sql(text: string): void;
};

/** Opens an intake for one test. */
export function openTestIntake(context: TestContext, folder = makeTempFolder(context)): TestIntake {
  const { store, path } = openTestStore(context, folder);
  const { log, lines } = keepLog();
  let reports = 0;
  let report = Promise.withResolvers<void>();
  const onTasks = () => {
    reports++;
    report.resolve();
    report = Promise.withResolvers();
  };
  const opened = openDatabase(path);
  if (!opened.ok) throw new Error(opened.failure.detail);
  const other = opened.value;
  context.after(() => other.close());
  const startTaker = (onTaken: OnTaken) =>
    new SpoolTaker({ folder, store, log, onTaken, rules: { windowMs: 0 } });
  const intake = new Intake({ folder, store, startTaker, onTasks });
  // A test that failed half-way must not leave it trying again for ever.
  context.after(() => intake.close());
  return {
    folder,
    databasePath: path,
    store,
    intake,
    lines,
    reports: () => reports,
    nextReport: () => report.promise,
    storedIds: () => other.prepare('SELECT id FROM deliveries ORDER BY rowid').pluck().all(),
    sql: (text) => void other.exec(text),
  };
}
