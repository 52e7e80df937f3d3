import type { CheckedUnitView } from '../api/check-views.ts';
import type { Store } from '../db/store.ts';
import { type AutoUpdateDecision, decideAutoUpdate } from '../domain/auto-update.ts';
import { newIdentifier } from '../intake/new-identifier.ts';
import type { KnownUnits } from '../units/known-units.ts';
import { endFailed, type MaintenanceEnd, type MaintenanceParts } from './maintenance-parts.ts';

/** The units that the schedule deploys: those that it may, and that ask for it. */
export function listAutoUpdated(known: KnownUnits): readonly string[] {
  return known.list('schedule').filter((unit) => known.find(unit)?.marks?.isAutoUpdated);
}

/** Looks for updates of the units that ask for it, and makes a task of each that has something newer. */
export async function runAutoUpdate(parts: MaintenanceParts): Promise<MaintenanceEnd> {
  const { store, taskId, signal, note } = parts;
  const updates = parts.updates();
  const units = listAutoUpdated(updates.known);
  if (units.length === 0) return { status: 'succeeded', summary: 'No unit asks for it.' };
  // What is deployed is what the tags mean now, not a minute ago.
  const checked = await updates.check(units, { isForced: true, signal });
  if (!checked.ok) return endFailed('Updates could not be looked for', checked.failure);
  const views = updates.list(units);
  const newer = views.filter(({ update }) => update.status === 'tag_update_available');
  const begun = store.transact(() => {
    const batchId = newIdentifier('bat');
    return newer.map((view) => {
      const decision = decide(store, view);
      return { view, decision, id: decision === 'deploy' && make(store, view, taskId, batchId) };
    });
  });
  for (const { view, decision, id } of begun) {
    const meta = { unit: view.unit, digest: view.update.remote_tag_digest, task_id: id || null };
    note('info', 'auto-update', `${view.unit} has something newer: ${WORDS[decision]}.`, meta);
  }
  for (const { unit, update } of views) {
    if (update.status !== 'unknown' || !update.error) continue;
    const { code, detail } = update.error;
    note('warning', 'auto-update', `${unit} is not known: ${code} ${detail}`, { unit, code });
  }
  const made = begun.filter(({ id }) => id).length;
  return {
    status: 'succeeded',
    summary: `Of ${units.length} units ${newer.length} have something newer; ${made} begun.`,
  };
}

const WORDS: Readonly<Record<AutoUpdateDecision, string>> = {
  deploy: 'it is deployed',
  open: 'a task of it is open',
  quarantined: 'it has failed and is held back',
  held: 'it came to nothing on purpose, and is looked at again after a day',
};

function decide(store: Store, { unit, update }: CheckedUnitView): AutoUpdateDecision {
  const wantedDigest = update.remote_tag_digest ?? '';
  const [newest] = store.tasks.list({ unit, limit: 1 });
  const [last] = store.tasks.list({ unit, kinds: ['scheduler'], limit: 1 });
  return decideAutoUpdate(
    {
      ...{ wantedDigest, newest },
      isQuarantined: store.quarantine.find(unit, wantedDigest, Date.now()) !== undefined,
      last: last && {
        status: last.status,
        registryDigest: last.registry_digest,
        endedAtMs: last.finished_at,
      },
    },
    Date.now(),
  );
}

function make(store: Store, view: CheckedUnitView, runId: string, batchId: string): string {
  const { unit, image, update } = view;
  const id = newIdentifier('tsk');
  store.tasks.insert({
    ...{ id, kind: 'scheduler', unit, image, created_at: Date.now(), batch_id: batchId },
    summary: `${unit} is to run what its tag means.`,
    ...{ trigger_source: 'scheduler', trigger_request_id: runId, trigger_path: null },
    ...{ trigger_caller: 'schedule', trigger_reason: null, webhook_digest: null },
  });
  store.taskLogs.append({
    ...{ task_id: id, ts: Date.now(), level: 'info', action: 'task-created', meta: null },
    summary: `Its tag means ${update.remote_tag_digest} now, as ${runId} has found.`,
  });
  return id;
}
