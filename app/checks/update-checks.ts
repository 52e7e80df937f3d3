import { type Outcome, succeed } from '../../shared/contract/outcome.ts';
import type { CheckDoneView, UpdateChecksView } from '../api/check-views.ts';
import type { Store } from '../db/store.ts';
import type { UpdateStatus } from '../domain/update-verdict.ts';
import type { UnitToCheck } from './see-units.ts';
import type { UpdateChecker } from './update-checker.ts';
import { listChecks, listRegistries } from './view-checks.ts';

/** Which of them. */
export type ChecksFilter = {
  readonly unit?: string | undefined;
  readonly status?: UpdateStatus | undefined;
};

/** What routes and commands do with checks for updates. */
export type UpdateChecks = {
  /** What is stored. */
  list(filter: ChecksFilter): UpdateChecksView;
  /** Looks now; undefined: at all units. UNIT_NOT_CONFIGURED for the first that is not known. */
  checkNow(units: readonly string[] | undefined): Promise<Outcome<CheckDoneView>>;
};

type Parts = {
  readonly store: Pick<Store, 'updateChecks' | 'registryAnswers'>;
  readonly checker: UpdateChecker;
  readonly listUnits: () => readonly UnitToCheck[];
  /** The unit that somebody names (`web`, `web.service`). */
  readonly choose: (name: string) => Outcome<string>;
  readonly staleMs: number;
};

/** Joins them. */
export function createUpdateChecks({
  store,
  checker,
  listUnits,
  choose,
  staleMs,
}: Parts): UpdateChecks {
  const list = (matches: (unit: string, status: UpdateStatus) => boolean): UpdateChecksView => {
    const now = Date.now();
    const checks = listChecks(store, listUnits(), staleMs, now).filter(({ unit, update }) =>
      matches(unit, update.status),
    );
    return { checks, registries: listRegistries(store, now) };
  };
  return {
    list: ({ unit, status }) => {
      const chosen = unit === undefined ? undefined : choose(unit);
      const name = chosen?.ok ? chosen.value : unit;
      return list((one, its) => (name ?? one) === one && (status === undefined || status === its));
    },
    async checkNow(names) {
      const units: string[] = [];
      for (const name of names ?? []) {
        const chosen = choose(name);
        if (!chosen.ok) return chosen;
        units.push(chosen.value);
      }
      const checked = await checker.check({ isForced: true, ...(names && { units }) });
      if (!checked.ok) return checked;
      const { asked, failed, durationMs: duration_ms } = checked.value;
      const view = list((unit) => names === undefined || units.includes(unit));
      return succeed({ asked, failed, duration_ms, ...view });
    },
  };
}
