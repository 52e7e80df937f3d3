import { type Failure, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import type { RunCommand } from '../../shared/process/run-command.ts';
import {
  type ClockJump,
  findJump,
  HEALTH_COMPONENTS,
  type HealthComponent,
  type HealthState,
  judgeClock,
  nextHealth,
  unknownHealth,
} from '../domain/health.ts';
import {
  askClockSynchronised,
  askPodmanVersion,
  checkDisk,
  checkLinger,
  judgePodmanVersion,
} from '../host/health.ts';
import { checkUserManager } from '../host/systemctl.ts';
import { type HostTraces, readHostTraces } from './host-traces.ts';

/** What is known of the health of the host and of ourselves. */
export type Health = {
  /** Every part as it was found last; waits for the first look, and never for another. */
  check(): Promise<readonly HealthState[]>;
  /** Our own parts only: at once, and the same whatever the host does. */
  checkOwn(): readonly HealthState[];
  /** Looks again and again from now on. */
  start(): void;
  /** Something of ours has changed: the database is ill, or well again. */
  lookAtOwn(): void;
  /** `listener` is called whenever something is ill in another way, or well again. */
  onChange(listener: () => void): void;
  close(): void;
};

type Parts = {
  /** Where the units are. */
  readonly run: RunCommand;
  /** This host, whose clock counts. */
  readonly runHere: RunCommand;
  readonly environment: NodeJS.ProcessEnv;
  readonly isSystem: boolean;
  /** The units are on another host. */
  readonly isRemote: boolean;
  readonly stateDir: string;
  readonly minFreeBytes: number;
  readonly database: () => Failure | undefined;
  /** When the newest row was written; throws where nobody can say. */
  readonly newestAt: () => number | null;
  /** What the stored answers of registries say. Throws where nobody can say. */
  readonly registry: () => Failure | undefined;
  readonly supervisor: () => Failure | undefined;
};

/** Looks that cost no process. */
const LOOK_EVERY_MS = 10_000;
/** How long an answer of a process is believed while nothing shows that it has changed. In milliseconds. */
const BELIEVED_MS = { podman: 300_000, 'user-manager': 60_000, clock: 3_600_000 } as const;

/**
 * Looks at everything in the background, so that whoever asks costs nothing: what can be seen without a process every ten
 * seconds; podman and the manager are asked when that shows a change, while they are ill, and now and then.
 */
export function createHealth(parts: Parts): Health {
  return new HealthWatch(parts);
}

class HealthWatch implements Health {
  readonly #parts: Parts;
  readonly #states = new Map<HealthComponent, HealthState>();
  readonly #askedAt = new Map<string, number>();
  readonly #listeners = new Set<() => void>();
  #traces: HostTraces | undefined;
  #clock = { wall: Date.now(), steady: performance.now() };
  #jump: ClockJump | undefined;
  #isSynchronised: boolean | undefined;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  #first: Promise<void> | undefined;
  #isChanged = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    for (const component of HEALTH_COMPONENTS) {
      this.#states.set(component, unknownHealth(component));
    }
  }

  async check(): Promise<readonly HealthState[]> {
    this.#first ??= this.#look();
    await this.#first;
    this.lookAtOwn();
    return [...this.#states.values()];
  }

  checkOwn(): readonly HealthState[] {
    this.lookAtOwn();
    return [this.#states.get('database') ?? unknownHealth('database')];
  }

  start(): void {
    this.#first ??= this.#look();
    this.#timer ??= setInterval(() => void this.#look(), LOOK_EVERY_MS);
    this.#timer.unref();
  }

  lookAtOwn(): void {
    this.#note('database', this.#parts.database());
    this.#note('supervisor', this.#parts.supervisor());
    this.#tell();
  }

  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#listeners.clear();
  }

  /** One look at a time: one that hangs at a dead disk is not joined by others. */
  #look(): Promise<void> {
    this.#looking ??= this.#lookAtAll()
      // Each part says itself what keeps it from being seen.
      .catch(() => undefined)
      .finally(() => {
        this.#looking = undefined;
        this.#tell();
      });
    return this.#looking;
  }

  async #lookAtAll(): Promise<void> {
    const { stateDir, minFreeBytes, isRemote, isSystem, environment, registry } = this.#parts;
    this.#lookForJump();
    const before = this.#traces;
    this.#traces = isRemote ? { podman: '', manager: '' } : readHostTraces(environment, isSystem);
    await Promise.all([
      checkDisk(stateDir, minFreeBytes).then((checked) => this.#noteOutcome('disk', checked)),
      // Of another host no file here shows a change.
      this.#askHost('podman', isRemote || before?.podman !== this.#traces.podman),
      this.#askHost('user-manager', isRemote || before?.manager !== this.#traces.manager),
      this.#askClock(),
    ]);
    const needsLinger = !isRemote && !isSystem && !this.#states.get('user-manager')?.failure;
    this.#noteOutcome('linger', needsLinger ? checkLinger() : succeed(undefined));
    const { newestAt } = this.#parts;
    const nowMs = Date.now();
    const known = { jump: this.#jump, isSynchronised: this.#isSynchronised };
    this.#note('clock', judgeClock({ nowMs, newestMs: unlessIll(newestAt, null), ...known }));
    this.#note('registry', unlessIll(registry, undefined));
    this.#note('database', this.#parts.database());
    this.#note('supervisor', this.#parts.supervisor());
  }

  #lookForJump(): void {
    const now = { wall: Date.now(), steady: performance.now() };
    const { wall, steady } = this.#clock;
    this.#jump = findJump(now.wall - wall, now.steady - steady, now.wall) ?? this.#jump;
    this.#clock = now;
  }

  async #askHost(component: 'podman' | 'user-manager', isChanged: boolean): Promise<void> {
    const isIll = this.#states.get(component)?.failure !== undefined;
    if (!this.#isDue(component, isChanged || isIll)) return;
    const { run } = this.#parts;
    if (component === 'user-manager') {
      return this.#noteOutcome(component, await checkUserManager(run));
    }
    const version = await askPodmanVersion(run);
    this.#noteOutcome(component, version.ok ? judgePodmanVersion(version.value) : version);
  }

  async #askClock(): Promise<void> {
    if (!this.#isDue('clock', false)) return;
    this.#isSynchronised = await askClockSynchronised(this.#parts.runHere);
  }

  #isDue(what: keyof typeof BELIEVED_MS, isNow: boolean): boolean {
    const now = performance.now();
    const last = this.#askedAt.get(what) ?? Number.NEGATIVE_INFINITY;
    if (!isNow && now - last < BELIEVED_MS[what]) return false;
    this.#askedAt.set(what, now);
    return true;
  }

  #noteOutcome(component: HealthComponent, outcome: Outcome<unknown>): void {
    this.#note(component, outcome.ok ? undefined : outcome.failure);
  }

  #note(component: HealthComponent, failure: Failure | undefined): void {
    const before = this.#states.get(component) ?? unknownHealth(component);
    if (before.failure?.code !== failure?.code) this.#isChanged = true;
    this.#states.set(component, nextHealth(before, failure, Date.now()));
  }

  #tell(): void {
    if (!this.#isChanged) return;
    this.#isChanged = false;
    for (const listener of this.#listeners) listener();
  }
}

/** What the database cannot say while it is ill is not said. */
function unlessIll<T>(ask: () => T, otherwise: T): T {
  try {
    return ask();
  } catch {
    return otherwise;
  }
}
