import { type Outcome, succeed } from '../../shared/contract/outcome.ts';
import type { RunCommand } from '../../shared/process/run-command.ts';
import type { QuarantineRow } from '../db/quarantined-images.ts';
import type { Store } from '../db/store.ts';
import { keepTimerOff } from '../host/timer-guard.ts';

/** Several tasks may write guards at once: who has written by an old list looks again, at most so often. */
const ROUNDS = 4;

/**
 * Keeps podman's own timer off every unit whose image is in quarantine, and off no other. `spares` tells images that are
 * not to count: of a unit that is just being brought to another image, or that a person releases. Does nothing where
 * nothing is in quarantine.
 */
export async function refreshTimerGuards(
  store: Store,
  run: RunCommand,
  spares: (row: QuarantineRow) => boolean = () => false,
): Promise<Outcome<void>> {
  for (let round = 1; ; round++) {
    const rows = store.quarantine.listGuards(Date.now());
    const wanted = rows.filter((row) => row.is_wanted === 1 && !spares(row));
    const units = [...new Map(wanted.map((row) => [row.unit, row])).values()];
    const written = rows.flatMap(({ guard }) => guard ?? []);
    if (units.length === 0 && written.length === 0) return succeed(undefined);
    const kept = await keepTimerOff(run, units, written);
    if (!kept.ok) return kept;
    store.transact(() => {
      for (const { unit } of rows) store.quarantine.setGuard(unit, kept.value.get(unit) ?? null);
    });
    if (round === ROUNDS || sameImages(rows, store.quarantine.listGuards(Date.now()))) {
      return succeed(undefined);
    }
  }
}

/** Lets one digest of a unit, or all of them, be deployed again, by podman's own timer too; how many there were. */
export async function releaseQuarantined(
  store: Store,
  run: RunCommand,
  unit: string,
  digest?: string,
): Promise<{ readonly released: number; readonly guards: Outcome<void> }> {
  const isReleased = (row: QuarantineRow) =>
    row.unit === unit && (digest === undefined || row.digest === digest);
  const isGuarded = store.quarantine
    .listGuards(Date.now())
    .some((row) => row.guard !== null && isReleased(row));
  // First, for a row that is gone names no file any more.
  const guards = isGuarded ? await refreshTimerGuards(store, run, isReleased) : succeed(undefined);
  return { released: store.quarantine.release(unit, digest), guards };
}

function sameImages(before: readonly QuarantineRow[], after: readonly QuarantineRow[]): boolean {
  const wanted = new Set(before.map(({ unit, digest }) => `${unit} ${digest}`));
  return after.every(({ unit, digest }) => wanted.has(`${unit} ${digest}`));
}
