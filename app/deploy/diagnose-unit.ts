import type { RunCommand } from '../../shared/process/run-command.ts';
import { listUnitContainers } from '../host/podman.ts';
import { showJournal, showStatus } from '../host/systemctl.ts';
import type { DeployEvidence } from './deploy-unit.ts';

/**
 * Gathers what a person needs to see after a failure: status and journal of the unit (recorded by `run` like every
 * command) and what runs now. Never fails: what cannot be had is left out.
 */
export async function diagnoseUnit(
  run: RunCommand,
  unit: string,
  journalLines: number,
): Promise<DeployEvidence> {
  // At once: nobody is served until the unit is put back.
  const [containers] = await Promise.all([
    listUnitContainers(run, unit),
    showStatus(run, unit),
    showJournal(run, unit, journalLines),
  ]);
  if (!containers.ok) return {};
  const running = containers.value.find((container) => container.running);
  if (!running) return { running_image: 'none' };
  return { running_image: running.imageName, running_digest: running.imageDigest };
}
