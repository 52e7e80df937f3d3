import type { Scenario } from './failpoint-run.ts';
import type { Failpoints } from './failpoint-stories.ts';
import {
  EFFECT_POINTS,
  type EffectPoint,
  ERROR_NAMES,
  FILE_POINTS,
  type FilePoint,
  STEP,
  type StoryName,
} from './failpoints.ts';

/** A scenario, and the point at which something is broken. */
export type Named = Scenario & { readonly name: string; readonly point: EffectPoint | FilePoint };

/** A table by story, and in it by effect. */
type Table<T> = Readonly<Record<string, Readonly<Record<string, T>>>>;

/** Effects and file operations that a supervisor does before it is killed for the second time. */
const STEPS = [4, 13, 32] as const;

/** Under the new supervisor, or on the way there, nobody can tell a killed one from a bad one: the old one serves. */
const HAND_OVER = /:handing-over$|^before:persist:committing$/;

const VICTIMS = { kill: 'the supervisor', 'kill-all': 'supervisor and worker' } as const;

/** A kill before and after each effect: of the supervisor alone, and of the worker with it. */
export const KILLS: readonly Named[] = listEffectPoints().flatMap(toKills);

/** Killed in any state of the record, and once more while the next supervisor recovers from that. */
export const TWICE: readonly Named[] = listEffectPoints()
  .filter(({ point }) => point.startsWith('after:persist:'))
  .flatMap((place) =>
    STEPS.map((step) => ({
      ...place,
      name: `${place.story}: both killed ${place.point}, again ${step} steps later`,
      failpoints: { [place.point]: 'kill-all' } as Failpoints,
      again: { [`${STEP}#${step}`]: 'kill-all' } as Failpoints,
      // The second one may hit the new supervisor.
      end: 'any' as const,
    })),
  );

/** Each file operation fails once, in turn as one of the ways in which a disk can fail. */
export const ERRORS: readonly Named[] = listFilePoints().map(({ story, point }, index) => {
  const code = turn(ERROR_NAMES, index);
  return {
    story,
    point,
    name: `${story}: ${code} at ${point}`,
    failpoints: { [point]: `error(${code})` } as Failpoints,
    end: 'any',
  };
});

/** The disk stays as it is from the first operation of an effect on that it refuses, until it is mended. */
export const SICK_DISKS: readonly Named[] = listFilePoints()
  .filter(({ point }) => /^(?:create|sync|rename)#1:/.test(point))
  .map(({ story, point }) => {
    const code = { create: 'ENOSPC', sync: 'EIO', rename: 'EROFS' }[point.split('#', 1)[0] ?? ''];
    return {
      story,
      point,
      name: `${story}: ${code} from ${point} on`,
      failpoints: { [point]: `error(${code})*1000` } as Failpoints,
      end: 'any',
      isMended: true,
    };
  });

/** Every n-th, so that about `count` of them are left: always the same, and of every part some. */
export function sample<T>(all: readonly T[], count: number): readonly T[] {
  const step = Math.ceil(all.length / count);
  return all.filter((_, index) => index % step === Math.floor(step / 2));
}

type Point<P> = { readonly story: StoryName; readonly point: P };

/** All points at which a supervisor can be ended, in the story in which it is done. */
export function listEffectPoints(): readonly Point<EffectPoint>[] {
  return Object.entries<Table<readonly string[]>[string]>(EFFECT_POINTS).flatMap(
    ([story, effects]) =>
      Object.entries(effects).flatMap(([effect, states]) =>
        states.flatMap((state) =>
          (['before', 'after'] as const).map((when) => ({
            story: story as StoryName,
            point: `${when}:${effect}:${state}` as EffectPoint,
          })),
        ),
      ),
  );
}

/** All file operations that can fail, in the same way. */
export function listFilePoints(): readonly Point<FilePoint>[] {
  return Object.entries<Table<Readonly<Record<string, number>>>[string]>(FILE_POINTS).flatMap(
    ([story, scopes]) =>
      Object.entries(scopes).flatMap(([scope, counts]) =>
        Object.entries(counts).flatMap(([operation, count]) =>
          Array.from({ length: count }, (_, index) => ({
            story: story as StoryName,
            point: `${operation}#${index + 1}:${scope}` as FilePoint,
          })),
        ),
      ),
  );
}

function toKills({ story, point }: Point<EffectPoint>): readonly Named[] {
  return (['kill', 'kill-all'] as const).map((action) => ({
    story,
    point,
    name: `${story}: ${VICTIMS[action]} killed ${point}`,
    failpoints: { [point]: action } as Failpoints,
    end: HAND_OVER.test(point) ? 'old or next' : 'as told',
  }));
}

function turn<T>(all: readonly T[], index: number): T {
  return all[index % all.length] as T;
}
