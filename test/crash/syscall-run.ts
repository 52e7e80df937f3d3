import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Installation } from '../helpers/installation.ts';
import { publish } from '../helpers/release.ts';
import { type Behaviour, NEXT_MIGRATION } from '../helpers/release-behaviours.ts';
import { findAddress, ServiceManager, type Start } from '../helpers/service-manager.ts';
import { SteadyClient } from '../helpers/steady-client.ts';
import { until } from '../helpers/until.ts';
import * as checks from '../helpers/update-checks.ts';

/** Calls that change or secure what lies on the disk. Not write(2): Node wakes its own threads by it. */
const CALLS = [
  ...['rename', 'renameat', 'renameat2', 'link', 'linkat', 'unlink', 'unlinkat'],
  ...['mkdir', 'mkdirat', 'fsync', 'fdatasync'],
] as const;
type Call = (typeof CALLS)[number];

const KILL_LIMIT_MS = 5_000;

/** What is done while the kernel counts. */
export const TRANSACTIONS = {
  'a good update': { next: [`migration:${NEXT_MIGRATION}:may-run`] },
  'going back with the database': {
    // Killed and not ended, so that it leaves a log beside its database.
    next: [`migration:${NEXT_MIGRATION}:must-not-run`, 'killed-after-ms:1'],
  },
} as const satisfies Readonly<Record<string, { readonly next: readonly Behaviour[] }>>;
export type TransactionName = keyof typeof TRANSACTIONS;

/** The supervisor is killed as it enters the n-th of these calls since its start. */
export type CallKill = { readonly call: Call; readonly n: number; readonly of: number };

/** All the kills that there are in a transaction: it is carried out once, and its calls are counted. */
export async function countCalls(name: TransactionName): Promise<readonly CallKill[]> {
  const log = 'calls';
  const traced = (folder: string) => ({
    wrap: ['strace', '-D', '-o', join(folder, log), '-e', `trace=${CALLS.join(',')}`],
  });
  const content = await carryOut(name, traced, (folder) => readFileSync(join(folder, log), 'utf8'));
  return CALLS.flatMap((call) => {
    const of = content.split('\n').filter((line) => line.startsWith(`${call}(`)).length;
    return Array.from({ length: of }, (_, index) => ({ call, n: index + 1, of }));
  });
}

/** Carries the transaction out with a kill in it. */
export async function killAt(name: TransactionName, { call, n }: CallKill): Promise<void> {
  const inject = `inject=${call}:signal=SIGKILL:when=${n}`;
  const wrap = ['strace', '-D', '-o', '/dev/null', '-e', `trace=${call}`, '-e', inject];
  await carryOut(
    name,
    () => ({ wrap }),
    // The last call of all comes when the update is over for everybody else.
    (_folder, { services }) =>
      until(`${call} number ${n}`, KILL_LIMIT_MS, () => {
        return services[0]?.child.signalCode === 'SIGKILL';
      }),
  );
}

async function carryOut<T>(
  name: TransactionName,
  toFirst: (folder: string) => Start,
  look: (folder: string, manager: ServiceManager) => T | Promise<T>,
): Promise<T> {
  const address = await findAddress();
  await using installation = await Installation.make({
    environment: { PODUP_HTTP_ADDR: address, PODUP_SELF_UPDATE_SOAK_MS: '200' },
  });
  const { next: behaviours } = TRANSACTIONS[name];
  const old = await installation.build({ version: '1.0.0' });
  const next = await installation.build({ version: '1.1.0', generation: 2, break: behaviours });
  publish(installation.releasesDir, next);
  await using manager = new ServiceManager(installation, [toFirst(installation.folder), {}]);
  try {
    await manager.serves(checks.GAP_MS);
    using client = new SteadyClient(address);
    await installation.ask({ command: 'run' });
    await checks.settled(installation, manager);
    // Before the service is stopped: how that ends is no part of the transaction.
    const seen = await look(installation.folder, manager);
    const isGood = name === 'a good update';
    await checks.checkEnding({
      ...{ installation, manager, client },
      // A new supervisor that is killed cannot be told from one that is bad.
      serving: isGood ? [old, next] : [old],
      schemas: isGood ? [old.schema, next.schema] : [],
      updates: 1,
    });
    if (!isGood) assert.deepEqual(checks.quarantined(installation), [next.digest]);
    return seen;
  } catch (error) {
    throw new Error(`${error}\n${manager.output}`, { cause: error });
  }
}
