import type { Logger } from 'pino';
import type { Store } from '../db/store.ts';
import type { PushedUnit } from '../db/tracked-tags.ts';
import {
  type ImageReference,
  parseImageReference,
  sameRepository,
  withTag,
} from '../domain/image-reference.ts';
import type { KnownUnits } from '../units/known-units.ts';
import { listExpecting } from './expecting-units.ts';
import { makeMaintenanceTask, type StartCause } from './make-maintenance-task.ts';

/** A unit that webhooks may deploy, with the image that it runs; undefined where that is not known. */
export type DeployableUnit = {
  readonly unit: string;
  readonly image: ImageReference | undefined;
};

/** Has pushes found that no delivery was for. */
export type DeliverySearch = {
  /** To be called when deliveries have made tasks: their repositories may have other tags. */
  afterDeliveries(): void;
  /** To be called when the service has begun to deploy, for the first time or again: nobody may have listened before. */
  afterStart(): void;
  /** To be called when units were looked for after that: some may be known only now, as after the very first start. */
  afterDiscovery(): void;
};

type Parts = {
  readonly store: Store;
  readonly log: Logger;
  readonly known: KnownUnits;
  readonly listUnits: () => readonly DeployableUnit[];
  /** PODUP_MISSED_DELIVERIES_CRON is off: what nothing tells of is not looked for. */
  readonly isOff: boolean;
  /** GitHub can be asked, so that there is something to be done without any unit. */
  readonly asksGithub: () => boolean;
  /** See PODUP_WEBHOOK_WINDOW_MS: deliveries for the other units may be about to come. */
  readonly windowMs: number;
  /** There is a new task. */
  readonly onTask: () => void;
};

/** After a start registries that do not answer are asked again so often, for the network may come later; then it is the clock. */
const TRIES_AFTER_START = 3;

/**
 * Has the other tags of repositories looked up that something was pushed to, where a unit runs one of them. What was pushed is in the database since it was taken over, so that a look that fails here is made up for by the next one,
 * or by what looks for missed deliveries after a start.
 */
export function createDeliverySearch(parts: Parts): DeliverySearch {
  const { store, log, known, listUnits, isOff, asksGithub, windowMs, onTask } = parts;
  /** Of these a look after the start knows. */
  let looked: ReadonlySet<string> = new Set();

  function look(isWanted: (expecting: readonly string[]) => boolean): void {
    try {
      if (isOff) return;
      const expecting = listExpecting(store, known);
      if (!isWanted(expecting)) return;
      looked = new Set(expecting);
      const triesLeft = TRIES_AFTER_START - 1;
      const cause: StartCause = { kind: 'start', triesLeft, notBeforeMs: Date.now() };
      makeMaintenanceTask(store, 'missed-deliveries', cause);
      onTask();
    } catch (error) {
      log.error({ err: error }, 'missed deliveries could not be looked for');
    }
  }

  return {
    afterDeliveries() {
      try {
        const pushed = store.trackedTags.listPushed();
        if (pushed.length === 0) return;
        const open = findOpen(pushed, listUnits());
        if (!open) return store.trackedTags.forgetPushed(pushed);
        const notBeforeMs = Date.now() + windowMs;
        const cause = { kind: 'push', delivery: open.pushed_by, notBeforeMs } as const;
        makeMaintenanceTask(store, 'missed-deliveries', cause);
        onTask();
      } catch (error) {
        log.error({ err: error }, 'what else was pushed could not be looked at');
      }
    },
    afterStart: () => look((expecting) => expecting.length > 0 || asksGithub()),
    afterDiscovery: () => look((expecting) => expecting.some((unit) => !looked.has(unit))),
  };
}

/** The last push of a repository of which a unit runs another tag. */
function findOpen(
  pushed: readonly PushedUnit[],
  units: readonly DeployableUnit[],
): PushedUnit | undefined {
  const looked = new Set(pushed.map(({ pushed_image }) => pushed_image));
  const others = units.flatMap(({ image }) =>
    image && image.digest === undefined && !looked.has(withTag(image)) ? [image] : [],
  );
  return pushed.findLast(({ pushed_image }) => {
    const image = parseImageReference(pushed_image);
    return image && others.some((other) => sameRepository(other, image));
  });
}
