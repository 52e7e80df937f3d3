import type { UpdateState } from '../../shared/contract/update-record.ts';
import { type Allowance, checkDisk, checkEnd, describeEnd } from './sim-checks.ts';
import type { SimDisk } from './sim-disk.ts';
import { type Facts, FIRST_FACTS } from './sim-facts.ts';
import { SimFs } from './sim-fs.ts';
import { install, SimHost } from './sim-host.ts';
import type { Program } from './sim-programs.ts';

/** What happens on a host, and what it must come to when nothing interrupts it. */
export type Story = {
  readonly name: string;
  /** What runs when it begins. */
  readonly first: Program;
  /** What the source of releases has. */
  readonly offer: Program | null;
  readonly play: (host: SimHost) => Promise<void>;
  /** It is interrupted from this state of a record on; what comes before, other stories have as well. */
  readonly since?: UpdateState;
  /** What is done after each recovery, to see what is left of what was done before; the rules that are broken. */
  readonly epilogue?: (host: SimHost) => Promise<readonly string[]>;
  /** The version that serves in the end, or that it is held; and how each update ended. */
  readonly ends: { readonly version: string | 'held'; readonly outcomes: readonly string[] };
  readonly mayHold?: boolean;
  readonly givesUpRows?: boolean;
};

/** How far a story is explored. */
export type Depth = {
  /** Disks that are tried for one moment at which the power goes; none: nothing is interrupted at all. */
  readonly disksPerMoment: number;
  /** How many moments of each recovery are interrupted again. */
  readonly secondCrashes: number;
  /** All stories are interrupted from their first step on. */
  readonly isThorough?: boolean;
  /** This kind of sync does nothing. */
  readonly brokenSync?: string;
  /** The syncs that this place in our code makes do nothing. */
  readonly brokenSite?: string;
  /** The first broken rule is enough. */
  readonly stopsAtFirst?: boolean;
};

/** A rule that was broken, and when. */
export type Broken = { readonly rule: string; readonly where: string };

export type Explored = {
  readonly operations: number;
  /** Different states in which a supervisor was started. */
  readonly states: number;
  readonly broken: readonly Broken[];
  /** Kinds of syncs that were made. */
  readonly syncs: ReadonlySet<string>;
  /** Places in our code that made one. */
  readonly sites: ReadonlySet<string>;
};

/** What a crash leaves: the disk, and what is true besides. */
type State = {
  readonly disk: SimDisk;
  readonly facts: Facts;
  readonly where: string;
};

/** Plays a story, interrupts it at every step in every way, and looks at what each recovery comes to. */
export async function explore(story: Story, depth: Depth): Promise<Explored> {
  const explorer = new Explorer(story, depth);
  await explorer.run();
  return explorer;
}

class Explorer implements Explored {
  readonly #story: Story;
  readonly #depth: Depth;
  readonly #seen = new Set<string>();
  readonly broken: Broken[] = [];
  readonly syncs = new Set<string>();
  readonly sites = new Set<string>();
  operations = 0;
  states = 0;
  #random = 1;
  #isWatching = false;

  constructor(story: Story, depth: Depth) {
    this.#story = story;
    this.#depth = depth;
  }

  async run(): Promise<void> {
    const { first, offer, play, name, ends, since } = this.#story;
    const fs = this.#open(undefined);
    install(fs, first);
    const host = new SimHost(fs, { ...FIRST_FACTS, offer });
    await host.run();
    fs.disk.settleAll();
    const states: State[] = [];
    const watch = () => {
      this.#isWatching = true;
    };
    if (since && !this.#depth.isThorough) host.at(since, watch);
    else watch();
    fs.onStep = () => {
      this.operations++;
      if (!this.#isWatching || this.#depth.disksPerMoment === 0) return;
      const where = `${name}, step ${this.operations}`;
      for (const state of this.#interrupt(fs, host.facts, where)) states.push(state);
    };
    await play(host);
    fs.onStep = undefined;
    const where = `${name}, without a crash`;
    for (const rule of checkEnd(host, this.#allowance())) this.#note(rule, where);
    const [end, expected] = [describeEnd(host), [ends.version, ...ends.outcomes].join(', ')];
    if (end !== expected) this.#note(`it ends as ${end}`, where);
    for (const state of states) {
      if (this.#isEnough()) return;
      await this.#recover(state, this.#depth.secondCrashes > 0);
    }
  }

  #open(disk: SimDisk | undefined): SimFs {
    const fs = new SimFs(disk);
    fs.brokenSync = this.#depth.brokenSync;
    fs.onSync = (kind) => this.syncs.add(kind);
    fs.brokenSite = this.#depth.brokenSite;
    fs.onSyncAt = (site) => this.sites.add(site);
    return fs;
  }

  #allowance(): Allowance {
    const { first, mayHold = false, givesUpRows = false } = this.#story;
    return { first: first.version, mayHold, givesUpRows };
  }

  /** Every state that was not met before: the process is killed, or the power goes as well. */
  #interrupt(fs: SimFs, facts: Facts, where: string): readonly State[] {
    const killed = { disk: fs.disk.clone(), facts: { ...facts }, where: `${where}, killed` };
    const reboot = { ...facts, boot: facts.boot + 1 };
    const cut = fs.disk
      .afterPowerCut(this.#depth.disksPerMoment)
      .map((disk) => ({ disk, facts: { ...reboot }, where: `${where}, without power` }));
    return [killed, ...cut].filter((state) => this.#isNew(state));
  }

  #isNew({ disk, facts, where }: State): boolean {
    const { boot, nowMs: _now, ...rest } = facts;
    const isKilled = where.endsWith('killed');
    const key = `${isKilled} ${JSON.stringify(rest)} ${boot} ${disk.key()}`;
    if (this.#seen.has(key)) return false;
    this.#seen.add(key);
    return true;
  }

  async #recover(state: State, mayCrash: boolean): Promise<void> {
    this.states++;
    const fs = this.#open(state.disk);
    for (const rule of checkDisk(fs, state.facts)) this.#note(rule, state.where);
    const host = new SimHost(fs, state.facts);
    const again = mayCrash ? this.#sample(fs, host.facts, state.where) : [];
    await host.run();
    fs.onStep = undefined;
    for (const rule of checkEnd(host, this.#allowance())) this.#note(rule, state.where);
    if (host.supervisor?.isHeld) await this.#repair(host, state.where);
    for (const rule of (await this.#story.epilogue?.(host)) ?? []) this.#note(rule, state.where);
    for (const next of again) {
      if (!this.#isEnough()) await this.#recover(next, false);
    }
  }

  /** A few of the states that a second crash may leave, evenly over the recovery; filled while it runs. */
  #sample(fs: SimFs, facts: Facts, where: string): readonly State[] {
    const { secondCrashes } = this.#depth;
    const kept: State[] = [];
    let steps = 0;
    fs.onStep = () => {
      steps++;
      const at = kept.length < secondCrashes ? kept.length : this.#draw(steps);
      if (at >= secondCrashes) return;
      const states = this.#interrupt(fs, facts, `${where}, and again at step ${steps}`);
      const chosen = states[this.#draw(states.length)];
      if (chosen) kept[at] = chosen;
    };
    return kept;
  }

  /** A person mends what ailed the old version and has it tried again. */
  async #repair(host: SimHost, where: string): Promise<void> {
    host.facts.troubles = {};
    host.ask({ command: 'resume' });
    await host.run();
    const allowance = { ...this.#allowance(), mayHold: false };
    for (const rule of checkEnd(host, allowance)) this.#note(rule, `${where}, mended`);
  }

  /** A number below `limit`, the same in each run. */
  #draw(limit: number): number {
    this.#random = (this.#random * 48_271) % 2_147_483_647;
    return this.#random % Math.max(limit, 1);
  }

  #note(rule: string, where: string): void {
    if (!this.broken.some((one) => one.rule === rule)) this.broken.push({ rule, where });
  }

  #isEnough(): boolean {
    return this.#depth.stopsAtFirst === true && this.broken.length > 0;
  }
}
