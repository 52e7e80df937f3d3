import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { UpdateState } from '../../shared/contract/update-record.ts';
import type { Installation } from '../helpers/installation.ts';
import { checkProcesses, type Offer, prepareFailpoints } from './fault-fixture.ts';

/** States in which files may be missing, in the order in which they are passed through; some end the story. */
const WAY_BACK = [
  'staged',
  'switching',
  'trial',
  'handing-over',
  'rolling-back',
  'rolled-back',
] as const;
const WAY_ON = ['committing'] as const;
export type CutState = (typeof WAY_BACK)[number] | (typeof WAY_ON)[number];

/** One update that was cut off in many states, with all that lay on the disk then: a case begins with any of them. */
export class CutUpdate implements AsyncDisposable {
  readonly installation: Installation;

  private constructor(installation: Installation) {
    this.installation = installation;
  }

  /** Makes the update; everything dies each time that a record was written. */
  static async make(offer: Offer): Promise<CutUpdate> {
    const installation = await prepareFailpoints(offer);
    const cut = new CutUpdate(installation);
    for (const state of WAY_BACK) await cut.#goOn(state);
    cut.putBack('trial');
    for (const state of WAY_ON) await cut.#goOn(state);
    return cut;
  }

  /** Everything as it was when the update was cut off in this state. */
  putBack(state: CutState): void {
    const { folder } = this.installation;
    for (const name of PARTS) {
      rmSync(join(folder, name), { recursive: true, force: true });
      copy(join(this.#folderOf(state), name), folder);
    }
  }

  async #goOn(state: CutState): Promise<void> {
    const { installation } = this;
    const service = installation.start({ FAILPOINTS: `after:persist:${state}=kill-all` });
    if (state === WAY_BACK[0]) {
      await service.ready();
      void installation.ask({ command: 'run' });
    }
    await service.exited;
    await checkProcesses(installation);
    mkdirSync(this.#folderOf(state), { recursive: true });
    for (const name of PARTS) copy(join(installation.folder, name), this.#folderOf(state));
  }

  #folderOf(state: UpdateState): string {
    return join(this.installation.folder, 'cut', state);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.installation[Symbol.asyncDispose]();
  }
}

const PARTS = ['bin', 'state'] as const;

/** With its times, its modes, and files of two names as such. */
function copy(from: string, into: string): void {
  if (existsSync(from)) execFileSync('cp', ['-a', from, into]);
}
