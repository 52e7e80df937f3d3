import { succeed } from '../../shared/contract/outcome.ts';
import type { AutoUpdateView } from '../api/manual-views.ts';
import { answerOnce } from './answer-once.ts';
import { AUTO_UPDATE_BUCKET } from './auto-update-limit.ts';
import { takePlace } from './limit-rate.ts';
import {
  ACCEPTED,
  askerOf,
  type Came,
  callView,
  type ManualActionParts,
  type ManualCall,
  repeatable,
  type Wish,
} from './manual-call.ts';

/** Has podman's auto-update run, or looked what it would do; a dry run is a task, too, for podman asks every registry. */
export async function autoUpdate(
  parts: ManualActionParts,
  call: ManualCall<Wish>,
): Came<AutoUpdateView> {
  return answerOnce(parts.store, repeatable(call), () => succeed(begin(parts, call)));
}

/** The same within the windows of the old path: RATE_LIMITED where it was asked for too often. */
export async function limitedAutoUpdate(
  parts: ManualActionParts,
  call: ManualCall<Wish>,
): Came<AutoUpdateView> {
  const { store, windows } = parts;
  return answerOnce(store, repeatable(call), () =>
    store.transact(() => {
      const place = takePlace(store, AUTO_UPDATE_BUCKET, windows, Date.now());
      return place.ok ? succeed(begin(parts, call)) : place;
    }),
  );
}

function begin({ deployments, autoUpdateUnit: unit }: ManualActionParts, call: ManualCall<Wish>) {
  const mode = call.body.dry_run ? 'dry-run' : 'run';
  const { id, batchId, isNew } = deployments.autoUpdate(mode, askerOf(call));
  const what =
    mode === 'run'
      ? "podman's auto-update is to be run."
      : "It is to be looked what podman's auto-update would do.";
  const body: AutoUpdateView = {
    ...callView(call, { task_id: id, batch_id: batchId }),
    ...{ unit, status: isNew ? 'pending' : 'already-running', task_id: id },
    message: isNew ? what : 'A task of it has not ended yet; it is that one.',
    ...{ plan: null, image: null },
  };
  return { status: ACCEPTED, body };
}
