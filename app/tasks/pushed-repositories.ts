import type { ErrorCode } from '../../shared/contract/error-codes.ts';
import type { CheckedUnitView } from '../api/check-views.ts';
import type { Store } from '../db/store.ts';
import type { PushedUnit } from '../db/tracked-tags.ts';
import {
  type ImageReference,
  parseImageReference,
  repositoryOf,
} from '../domain/image-reference.ts';
import { mayReport } from '../domain/may-report.ts';
import type { StoredHook } from '../domain/stored-hook.ts';

/** A push with the hook that reported it; undefined: none did; null: it is gone, and may report nothing any more. */
type ReportedPush = PushedUnit & { readonly hook: StoredHook | undefined | null };

/** Pushes of which other tags are to be looked up, by their repositories. */
export type PushedRepositories = ReadonlyMap<string, readonly ReportedPush[]>;

/** What passes at a registry: the other tags of what was pushed there are looked up by the next look, too, */
const PASSING: ReadonlySet<string | null> = new Set<ErrorCode>([
  'REGISTRY_UNREACHABLE',
  'REGISTRY_TIMEOUT',
  'REGISTRY_RATE_LIMITED',
  'REGISTRY_RESPONSE_INVALID',
]);
/** but not for longer than so long after the push. */
const LOOKED_UP_WITHIN_MS = 6 * 3_600_000;

/** Those of which that was not done yet. */
export function readPushed(
  store: Pick<Store, 'trackedTags' | 'deliveries' | 'storedHooks'>,
): PushedRepositories {
  const hooks = new Map(store.storedHooks.list().map((hook) => [hook.name, hook]));
  const pushes = store.trackedTags.listPushed().map((push) => {
    const name = store.deliveries.find(push.pushed_by)?.hook ?? undefined;
    return { ...push, hook: name === undefined ? undefined : (hooks.get(name) ?? null) };
  });
  return Map.groupBy(pushes, ({ pushed_image: image }) => repositoryFrom(image) ?? '');
}

/**
 * The last push of the repository of a unit's image under other tags only that may concern the unit: units on the same tag are for
 * their own deliveries, and a hook reports for its own units and images alone.
 */
export function findPush(
  pushed: PushedRepositories,
  unit: string,
  image: string,
): PushedUnit | undefined {
  const reference = parseImageReference(image);
  const all = (reference && pushed.get(repositoryOf(reference))) ?? [];
  if (!reference || all.some(({ pushed_image: own }) => own === image)) return undefined;
  return all.findLast(({ hook }) => isFor(hook, unit, reference));
}

function isFor(hook: ReportedPush['hook'], unit: string, image: ImageReference): boolean {
  if (hook === undefined) return true;
  return hook !== null && hook.action === 'deploy' && mayReport(hook, unit, image);
}

/** The pushes of which nothing is left to be looked up, by what was found. */
export function listAnswered(
  pushed: PushedRepositories,
  views: readonly CheckedUnitView[],
): readonly PushedUnit[] {
  const open = new Set(
    views
      .filter(({ update }) => PASSING.has(update.reason))
      .map(({ image }) => repositoryFrom(image)),
  );
  const now = Date.now();
  const isOver = ({ pushed_at: at }: PushedUnit) => Math.abs(now - at) > LOOKED_UP_WITHIN_MS;
  return [...pushed].flatMap(([repository, pushes]) =>
    open.has(repository) ? pushes.filter(isOver) : pushes,
  );
}

/** `registry/repository` of an image; undefined where it is none. */
function repositoryFrom(image: string | null): string | undefined {
  const reference = image === null ? undefined : parseImageReference(image);
  return reference && repositoryOf(reference);
}
