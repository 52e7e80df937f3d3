import { ERRORS, type ErrorCode } from '../../shared/contract/error-codes.ts';
import type { UpdateView } from '../api/check-views.ts';
import type { ServicesView, ServiceView } from '../api/service-views.ts';
import type { DiscoveredRow, SweepRow } from '../db/discovered-units.ts';
import type { Admission, KnownUnit, Trigger } from '../domain/unit-triggers.ts';
import type { UnitDiscovery } from './discover-units.ts';
import type { KnownUnits } from './known-units.ts';

/** What the list is made of; nothing of it asks the host. */
export type ServicesParts = {
  readonly known: Pick<KnownUnits, 'all' | 'admit' | 'placesOf'>;
  readonly autoDiscover: boolean;
  /** The unit of podman auto-update. */
  readonly autoUpdateUnit: string;
  readonly listSweeps: () => readonly SweepRow[];
  readonly discovery: Pick<UnitDiscovery, 'refresh' | 'isSweeping'>;
  /** What the last look for updates has found of each of them. */
  readonly listUpdates: () => ReadonlyMap<string, UpdateView>;
  /** Asks the registries. */
  readonly checkNow: () => Promise<unknown>;
};

/** Who asks for a fresh list waits for so long, and then gets what there is. */
const REFRESH_MS = 20_000;

/** Which looks are to be taken first. */
export type Looks = {
  readonly discover?: boolean | undefined;
  readonly refresh?: boolean | undefined;
};

/** Every known unit as people and scripts see it: at once from what is stored, or after the looks that are asked for. */
export async function listServices(parts: ServicesParts, looks: Looks): Promise<ServicesView> {
  const { known, autoDiscover, discovery, listSweeps, listUpdates } = parts;
  if (looks.discover || looks.refresh) await refresh(parts, looks);
  const updates = listUpdates();
  const services = known.all().flatMap((unit) => {
    const update = updates.get(unit.unit);
    return update ? [viewService(parts, unit, update)] : [];
  });
  const discovered = services.filter(({ source }) => source === 'discovered');
  return {
    services,
    discovered: {
      count: discovered.length,
      units: discovered.map(({ unit }) => unit),
      detail: discovered.flatMap(({ unit, found }) =>
        found.slice(0, 1).map(({ source }) => ({ unit, source })),
      ),
    },
    discovery: {
      auto_discover: autoDiscover,
      is_looking: discovery.isSweeping(),
      sources: listSweeps().map(viewSweep),
    },
  };
}

async function refresh({ discovery, checkNow }: ServicesParts, looks: Looks): Promise<void> {
  const startedAt = performance.now();
  await discovery.refresh(REFRESH_MS);
  if (!looks.refresh) return;
  const limit = Promise.withResolvers<void>();
  const left = setTimeout(limit.resolve, REFRESH_MS - (performance.now() - startedAt));
  // What it came to stands with each unit.
  await Promise.race([checkNow().catch(() => undefined), limit.promise]);
  clearTimeout(left);
}

function viewService(
  { known, autoUpdateUnit }: ServicesParts,
  { unit, isListed, image, marks }: KnownUnit,
  update: UpdateView,
): ServiceView {
  const slug = unit.replace(/\.service$/, '');
  const places = known.placesOf(unit);
  const may = (trigger: Trigger) => viewAdmission(known.admit(trigger, unit));
  return {
    slug,
    unit,
    display_name: slug,
    default_image: image,
    github_path: `/github-package-update/${slug}`,
    source: isListed ? 'manual' : 'discovered',
    is_auto_update: unit === autoUpdateUnit,
    update,
    is_found: marks !== null,
    found: places.map(viewPlace),
    auto_update: marks?.isAutoUpdated ?? false,
    has_policy: marks?.hasPolicy ?? false,
    webhook_enabled: marks?.webhookEnabled ?? null,
    may: {
      person: may('person'),
      batch: may('batch'),
      webhook: may('webhook'),
      schedule: may('schedule'),
    },
  };
}

function viewAdmission(admission: Admission): ServiceView['may']['person'] {
  return { allowed: admission.allowed, reason: admission.allowed ? null : admission.reason };
}

function viewPlace(place: DiscoveredRow): ServiceView['found'][number] {
  const { source, path, image, fault, firstSeenAt, lastSeenAt } = place;
  const times = { first_seen_at: formatTime(firstSeenAt), last_seen_at: formatTime(lastSeenAt) };
  return { source, path, image, fault, ...times };
}

function viewSweep(row: SweepRow): ServicesView['discovery']['sources'][number] {
  const { source, swept_at: sweptAt, failed_at: failedAt, code, detail } = row;
  const known = code !== null && code in ERRORS ? (code as ErrorCode) : null;
  return {
    source,
    swept_at: sweptAt === null ? null : formatTime(sweptAt),
    failing_since: failedAt === null ? null : formatTime(failedAt),
    error: known && { code: known, ...ofCode(known), detail: detail ?? '' },
  };
}

function ofCode(code: ErrorCode) {
  const { sentence, hint } = ERRORS[code];
  return { sentence, hint };
}

function formatTime(ms: number): string {
  return new Date(ms).toISOString();
}
