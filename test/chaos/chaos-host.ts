import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import type { UpdateHistoryEntry } from '../../shared/contract/update-history.ts';
import { Installation, UPDATE_PATIENCE_MS } from '../helpers/installation.ts';
import type { Release } from '../helpers/release.ts';
import { type Behaviour, NEXT_MIGRATION } from '../helpers/release-behaviours.ts';
import { findAddress, ServiceManager } from '../helpers/service-manager.ts';
import { SteadyClient } from '../helpers/steady-client.ts';
import { until } from '../helpers/until.ts';
import * as checks from '../helpers/update-checks.ts';
import type { Cycle, Victim } from './choose-cycle.ts';
import { findByRole } from './find-processes.ts';

const CLIENTS = 3;

/** Long enough that a worker becomes ready on a busy machine, short enough for those that never do. */
const START_TIMEOUT_MS = 8_000;
const STOP_TIMEOUT_MS = 2_000;

/** What a killed process may cost a release that is good: it cannot be told from one that is bad. */
const MISTAKEN: ReadonlySet<string> = new Set([
  ...['UPDATE_SUPERVISOR_FAILED', 'UPDATE_CHECK_FAILED', 'UPDATE_BACKUP_FAILED'],
  ...['UPDATE_STAGING_FAILED', 'RELEASE_SELF_CHECK_FAILED'],
]);

/** How a cycle went. */
export type Told = {
  readonly entry: UpdateHistoryEntry;
  readonly ms: number;
  readonly gapMs: number;
};

/** A host that goes from one update to the next, while webhooks come in. */
export class ChaosHost implements AsyncDisposable {
  readonly #installation: Installation;
  readonly #manager: ServiceManager;
  readonly #clients: readonly SteadyClient[];
  #current: Release;
  /** Every migration that a release has brought so far, by its number. */
  readonly #migrations = new Map<number, Behaviour>();
  #generation = 1;

  private constructor(installation: Installation, manager: ServiceManager, first: Release) {
    this.#installation = installation;
    this.#manager = manager;
    this.#current = first;
    const address = installation.environment['PODUP_HTTP_ADDR'] ?? '';
    this.#clients = Array.from({ length: CLIENTS }, () => new SteadyClient(address));
  }

  static async make(): Promise<ChaosHost> {
    const installation = await Installation.make({
      environment: {
        PODUP_HTTP_ADDR: await findAddress(),
        PODUP_SELF_UPDATE_SOAK_MS: '300',
        PODUP_SELF_UPDATE_START_TIMEOUT_MS: String(START_TIMEOUT_MS),
        PODUP_STOP_TIMEOUT_MS: String(STOP_TIMEOUT_MS),
      },
    });
    const first = await installation.build({ version: '1.0.0' });
    const manager = new ServiceManager(installation, [{}]);
    await manager.serves(checks.GAP_MS);
    return new ChaosHost(installation, manager, first);
  }

  /** What was printed so far. */
  get log(): string {
    return this.#manager.output;
  }

  /** Runs an update with a kill in it, `killAfterMs` after it was asked for, and looks at what has become of it. */
  async run(cycle: Cycle, killAfterMs: number | undefined): Promise<Told> {
    const installation = this.#installation;
    const { next, serving } = await this.#offer(cycle);
    // Two bad ones in a row end all updates until a person says otherwise.
    await installation.ask({ command: 'resume' });
    const startedAt = performance.now();
    const answered = installation.ask({ command: 'run' });
    const killed =
      killAfterMs === undefined ? undefined : this.#killLater(cycle.victim, killAfterMs);
    const { txn } = await answered;
    assert.ok(txn, 'the update was refused');
    await killed;
    const entry = await this.#end(txn);
    const ms = performance.now() - startedAt;
    await this.#check(entry, cycle, serving, next, killAfterMs !== undefined);
    return { entry, ms, gapMs: Math.max(...this.#clients.map((client) => client.longestGapMs)) };
  }

  /** Ends all of it, and looks once more. */
  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.stop()));
    await this.#checkDeliveries();
    await this.#manager[Symbol.asyncDispose]();
    await checks.checkProcesses(this.#installation);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client[Symbol.dispose]();
    await this.#manager[Symbol.asyncDispose]();
    await this.#installation[Symbol.asyncDispose]();
  }

  async #offer(cycle: Cycle) {
    const serving = this.#current;
    const schema = checks.checkDatabase(this.#installation.paths.database);
    // What is in the database a newer release knows; what was taken out of it again it brings anew.
    const known = [...this.#migrations].filter(([number]) => number <= schema);
    const number = Math.max(NEXT_MIGRATION - 1, ...this.#migrations.keys()) + 1;
    const added: readonly Behaviour[] = cycle.migration
      ? [`migration:${number}:${cycle.migration}`]
      : [];
    for (const behaviour of added) this.#migrations.set(number, behaviour);
    const next = await this.#installation.offer({
      version: `1.${this.#generation}.0`,
      generation: ++this.#generation,
      break: [...known.map(([, behaviour]) => behaviour), ...added, ...cycle.break],
    });
    return { next, serving };
  }

  async #killLater(victim: Victim, afterMs: number): Promise<void> {
    await wait(afterMs);
    const { program } = this.#installation;
    const supervisor = this.#manager.service.child.pid;
    if (victim === 'helper') {
      // The next one where there is none just now; none where the update has ended before.
      const helpers = await until('a helper, or the end', UPDATE_PATIENCE_MS, () => {
        const found = findByRole(program).helpers;
        return found.length > 0 || !checks.isOpen(this.#installation) ? found : undefined;
      });
      return kill(helpers);
    }
    if (victim !== 'supervisor') kill(findByRole(program).workers);
    if (victim !== 'worker' && supervisor !== undefined) kill([supervisor]);
  }

  async #end(txn: string): Promise<UpdateHistoryEntry> {
    await checks.settled(this.#installation, this.#manager);
    const entries = this.#installation.history().filter((entry) => entry.txn === txn);
    assert.equal(entries.length, 1, `${txn} is in the history ${entries.length} times`);
    return entries[0] as UpdateHistoryEntry;
  }

  async #check(
    entry: UpdateHistoryEntry,
    { isGood, migration }: Cycle,
    serving: Release,
    next: Release,
    wasKilled: boolean,
  ): Promise<void> {
    const installation = this.#installation;
    const version = await this.#manager.serves(checks.GAP_MS);
    const isNext = entry.outcome === 'committed';
    const release = checks.checkProgram(installation, version, [isNext ? next : serving]);
    if (!isNext && isGood) {
      assert.ok(wasKilled && MISTAKEN.has(entry.failure?.code ?? ''), JSON.stringify(entry));
    }
    if (!isGood) assert.ok(!isNext, 'a bad release was kept');
    if (entry.outcome === 'rolled-back') {
      assert.ok(checks.quarantined(installation).includes(next.digest), 'it may come again');
    }
    checks.checkLeftovers(installation);
    const schema = checks.checkDatabase(installation.paths.database);
    const isLeft = migration === 'may-run' && schema === next.schema;
    assert.ok(
      schema === release.schema || isLeft || this.#migrations.get(schema)?.endsWith('may-run'),
      `${version} runs on a database with schema ${schema}`,
    );
    await this.#checkDeliveries();
    this.#current = release;
  }

  async #checkDeliveries(): Promise<void> {
    const { stateDir } = this.#installation.paths;
    const acknowledged = this.#clients.flatMap((client) => client.acknowledged);
    await checks.checkDeliveriesSoon(stateDir, [...acknowledged]);
  }
}

function kill(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended in this very moment.
    }
  }
}
