import { fail, type Outcome, succeed } from '../../../shared/contract/outcome.ts';
import { parseUpdateStatus, type UpdateStatus } from '../../../shared/contract/update-status.ts';
import { askByFile } from '../../updates/ask-by-file.ts';
import { newUpdateRequest } from '../../updates/ask-supervisor.ts';
import type { UpdateCli } from './update-cli.ts';

/** A person who looks should not have to wait for a supervisor that is not there. */
const STATUS_WAIT_MS = 2_000;

/** What the supervisor says of itself, or that it does not. */
export async function askForStatus(cli: UpdateCli): Promise<Outcome<UpdateStatus>> {
  const request = newUpdateRequest('status', 'cli', { by: cli.by });
  const waiting = { waitMs: STATUS_WAIT_MS, signal: cli.signal };
  const asked = await askByFile(cli.loaded.paths, request, waiting);
  if (!asked.ok) return asked;
  const status = parseUpdateStatus(asked.value.status);
  return status
    ? succeed(status)
    : fail('UPDATE_SUPERVISOR_UNREACHABLE', 'What it said of itself cannot be understood.');
}
