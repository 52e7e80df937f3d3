import { endFailed, type MaintenanceEnd, type MaintenanceParts } from './maintenance-parts.ts';

/** Looks for updates of all units that are known. */
export async function runCheckUpdates(parts: MaintenanceParts): Promise<MaintenanceEnd> {
  const { isByPerson: isForced, signal, note } = parts;
  const updates = parts.updates();
  const checked = await updates.check(undefined, { isForced, signal });
  if (!checked.ok) return endFailed('Updates could not be looked for', checked.failure);
  const { units, asked, failed } = checked.value;
  const found = updates.list(updates.known.all().map(({ unit }) => unit));
  const newer = found.filter(({ update }) => update.status === 'tag_update_available');
  const unanswered = failed === 0 ? '' : `, ${failed} without an answer`;
  note(
    failed === 0 ? 'info' : 'warning',
    'check-updates-run',
    `${asked} tags asked for${unanswered}.`,
    { ...checked.value, newer: newer.map(({ unit }) => unit) },
  );
  return {
    status: 'succeeded',
    summary: `Of ${units} units ${newer.length} have something newer${unanswered}.`,
  };
}
