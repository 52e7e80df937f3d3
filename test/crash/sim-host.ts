import type { Logger } from 'pino';
import { fail } from '../../shared/contract/outcome.ts';
import type { UpdateState } from '../../shared/contract/update-record.ts';
import type { UpdateRequest } from '../../shared/contract/update-request.ts';
import type { SupervisorEffect } from '../../supervisor/core/supervisor.ts';
import type { UpdateEvent } from '../../supervisor/core/update/machine.ts';
import { findOnDisk } from '../../supervisor/find-on-disk.ts';
import type { Facts } from './sim-facts.ts';
import type { SimFs } from './sim-fs.ts';
import { PATHS, PROGRAM } from './sim-paths.ts';
import { type Program, parseProgram, programText } from './sim-programs.ts';
import { SimSupervisor } from './sim-supervisor.ts';

/** No story needs as many; a machine that goes round does. */
const MAX_MOVES = 600;
const MAX_LAUNCHES = 12;

const REQUEST: UpdateRequest = {
  id: '',
  command: 'run',
  trigger: 'cli',
  by: null,
  reason: null,
  dryRun: false,
  tag: null,
  force: false,
  version: null,
  restoreDatabase: false,
  pid: null,
  at: 0,
};

const SILENT = { error: () => undefined } as unknown as Logger;

/** A host: what is on its disk, and the launcher that starts a supervisor whenever there is none. */
export class SimHost {
  readonly fs: SimFs;
  readonly facts: Facts;
  readonly violations: string[] = [];
  supervisor: SimSupervisor | undefined;
  /** Told each effect once it is begun. */
  readonly listeners = new Set<(effect: SupervisorEffect) => void>();
  #launches = 0;
  #requests = 0;

  constructor(fs: SimFs, facts: Facts) {
    this.fs = fs;
    this.facts = facts;
  }

  ask(changes: Partial<UpdateRequest>): void {
    const id = `req-${this.facts.txns}-${++this.#requests}`;
    this.supervisor?.update({ kind: 'request', request: { ...REQUEST, id, ...changes } });
  }

  /** Does something once a record of this state is durable, before what stands behind it; once. */
  at(state: UpdateState, act: () => void): void {
    const listen = (effect: SupervisorEffect) => {
      if (effect.kind !== 'persist' || effect.record.state !== state) return;
      this.listeners.delete(listen);
      act();
    };
    this.listeners.add(listen);
  }

  /** Lets everything happen that happens by itself. */
  async run(): Promise<void> {
    for (let move = 0; move < MAX_MOVES; move++) {
      await this.#idle();
      const { supervisor } = this;
      if (!supervisor) {
        if (++this.#launches > MAX_LAUNCHES) return this.violate('no supervisor comes up');
        await this.#launch();
      } else if (supervisor.worker?.isAboutToMove) supervisor.worker.move();
      else if (supervisor.isAtRest) return this.#rest(supervisor);
      else if (!supervisor.passTime()) return this.violate('nothing is under way any more');
    }
    this.violate('it does not come to an end');
  }

  violate(rule: string): void {
    this.violations.push(rule);
  }

  #rest({ worker }: SimSupervisor): void {
    worker?.trimSpool();
  }

  /** Waits until all that was begun has ended: nothing here needs more than microtasks. */
  async #idle(): Promise<void> {
    let quiet = 0;
    let before = -1;
    while (quiet < 40) {
      await null;
      const now = this.supervisor?.activity ?? 0;
      quiet = now === before ? quiet + 1 : 0;
      before = now;
    }
  }

  /** scripts/launch.sh. */
  async #launch(): Promise<void> {
    const { fs } = this;
    const tries = fs.text(PROGRAM.tries);
    const fallsBack = tries !== undefined && this.#looksWhole(PROGRAM.old);
    const slot = this.#looksWhole(PROGRAM.target) && !fallsBack ? 'target' : 'old';
    await this.#begin(slot);
  }

  #looksWhole(path: string): boolean {
    return (
      this.fs.facts(path)?.isExecutable === true && this.fs.text(path)?.startsWith('#!') === true
    );
  }

  async #begin(slot: 'target' | 'old'): Promise<void> {
    const { fs, facts } = this;
    const own = parseProgram(fs.text(PROGRAM[slot]) ?? '');
    if (!own || (facts.troubles[own.version] ?? own.trouble) === 'supervisor-dies') return;
    const installation = { program: PROGRAM, slot, unavailable: null };
    const disk = { paths: PATHS, installation, files: fs, bulk: fs.bulk, isForeign: false };
    const found = await findOnDisk({ ...disk, log: SILENT });
    const supervisor = new SimSupervisor({
      fs,
      facts,
      own,
      found,
      becomeTarget: () => this.#becomeTarget(supervisor),
      onExit: () => {
        this.supervisor = undefined;
      },
      violate: (rule) => this.violate(rule),
      observe: (effect) => {
        for (const listen of this.listeners) listen(effect);
      },
    });
    this.supervisor = supervisor;
    supervisor.begin();
  }

  /** execve(2): the same process with another program. */
  #becomeTarget(before: SimSupervisor): UpdateEvent | undefined {
    if (!this.fs.facts(PROGRAM.target)?.isExecutable) {
      const { failure } = fail('UPDATE_SUPERVISOR_FAILED', 'It cannot be executed.');
      return { kind: 'act-failed', failure };
    }
    before.abandon();
    this.supervisor = undefined;
    void this.#begin('target');
    return undefined;
  }
}

/** A host on which a program was installed. */
export function install(fs: SimFs, program: Program): void {
  for (const path of ['/bin', '/state', PATHS.dataDir]) fs.makeDirectory(path, 0o755);
  fs.put(PROGRAM.target, programText(program), 0o755);
  fs.disk.settleAll();
}
