/**
 * Draws docs/supervisor-states.md by walking every state of the supervisor over every event, or with --check says
 * whether it has drifted (exit 1).
 *   node scripts/draw-states.ts [--check]
 */
import type { Effect } from '../supervisor/core/effect.ts';
import type { Event } from '../supervisor/core/event.ts';
import { FIXED_POLICY, type Policy } from '../supervisor/core/restart-policy.ts';
import type { State } from '../supervisor/core/state.ts';
import { step } from '../supervisor/core/step.ts';
import { merge, table, writePage } from './draw-page.ts';

const NOW = { nowMs: 1_000_000, random: 0.5 };
const POLICY: Policy = {
  ...FIXED_POLICY,
  backoffInitialMs: 500,
  backoffMaxMs: 60_000,
  stopTimeoutMs: 30_000,
  trialStartTimeoutMs: 60_000,
};

/** A tally that has nothing special to it. */
const tally = { crashes: 0, freeRestartsAtMs: [], everReady: true, trial: false } as const;
const spent = { ...tally, freeRestartsAtMs: [NOW.nowMs, NOW.nowMs, NOW.nowMs] };
const onTrial = { ...tally, trial: true };
/** All deadlines are now, so that each timer that fires is due. */
const common = { deadlineMs: NOW.nowMs, tally } as const;
const starting = {
  ...common,
  phase: 'starting',
  pid: 1,
  latestMs: NOW.nowMs + POLICY.startLimitMs,
  timedOut: false,
} as const;
const running = { phase: 'running', pid: 1, readyAtMs: 0, tally } as const;
const stopping = {
  ...common,
  phase: 'stopping',
  pid: 1,
  signal: 'SIGTERM',
  killed: false,
} as const;

type Named<T> = { readonly name: string; readonly value: T };

/** Each phase, in each of the variants that decide differently. */
const STATES: Record<State['phase'], readonly Named<State>[]> = {
  idle: [{ name: 'idle', value: { phase: 'idle' } }],
  starting: [
    { name: 'starting, no pid yet', value: { ...starting, pid: null } },
    {
      name: 'starting, none was ever ready',
      value: { ...starting, tally: { ...tally, everReady: false } },
    },
    { name: 'starting', value: starting },
    { name: 'starting, out of time', value: { ...starting, timedOut: true } },
    { name: 'starting on trial', value: { ...starting, tally: onTrial } },
  ],
  running: [
    { name: 'running', value: running },
    { name: 'running, three restarts spent', value: { ...running, tally: spent } },
    { name: 'running on trial', value: { ...running, tally: onTrial } },
  ],
  'backing-off': [
    { name: 'backing-off', value: { phase: 'backing-off', untilMs: NOW.nowMs, tally } },
  ],
  stopping: [
    { name: 'stopping to reload', value: { ...stopping, cause: 'reload' } },
    { name: 'stopping for an update', value: { ...stopping, cause: 'suspend' } },
    { name: 'stopping', value: { ...stopping, cause: 'shutdown' } },
    { name: 'stopping, no pid yet', value: { ...stopping, cause: 'shutdown', pid: null } },
    { name: 'stopping, killed', value: { ...stopping, cause: 'shutdown', killed: true } },
  ],
  suspended: [
    {
      name: 'suspended for an update',
      value: { phase: 'suspended', cause: 'update', tally },
    },
    {
      name: 'suspended, configuration refused',
      value: { phase: 'suspended', cause: 'config', tally },
    },
  ],
  stopped: [{ name: 'stopped', value: { phase: 'stopped', code: 0 } }],
};

const EVENTS: Record<Event['kind'], readonly Named<Event>[]> = {
  start: [{ name: 'start', value: { kind: 'start' } }],
  'worker-spawned': [{ name: 'worker-spawned', value: { kind: 'worker-spawned', pid: 1 } }],
  'spawn-failed': [{ name: 'spawn-failed', value: { kind: 'spawn-failed', reason: '' } }],
  'worker-ready': [
    {
      name: 'worker-ready',
      value: { kind: 'worker-ready', readiness: { version: '1.0.0', schema: 1, digest: null } },
    },
  ],
  'worker-starting': [{ name: 'worker-starting', value: { kind: 'worker-starting' } }],
  'worker-exited': [
    ...[0, 10, 75, 78, 1].map((code) => ({
      name: `worker-exited ${code}`,
      value: { kind: 'worker-exited', code, signal: null, adopted: false } as const,
    })),
    {
      name: 'worker-exited 10 with a request',
      value: { kind: 'worker-exited', code: 10, signal: null, adopted: true },
    },
    {
      name: 'worker-exited by a signal',
      value: { kind: 'worker-exited', code: null, signal: 'SIGKILL', adopted: false },
    },
  ],
  'timer-fired': (['start-deadline', 'backoff', 'stop-deadline'] as const).map((timer) => ({
    name: `timer-fired ${timer}`,
    value: { kind: 'timer-fired', timer },
  })),
  'stop-requested': (['SIGTERM', 'SIGINT'] as const).map((signal) => ({
    name: `stop-requested ${signal}`,
    value: { kind: 'stop-requested', signal },
  })),
  'reload-requested': [{ name: 'reload-requested', value: { kind: 'reload-requested' } }],
  suspend: [{ name: 'suspend', value: { kind: 'suspend' } }],
  resume: [
    { name: 'resume', value: { kind: 'resume', trial: false } },
    { name: 'resume on trial', value: { kind: 'resume', trial: true } },
  ],
  'end-trial': [{ name: 'end-trial', value: { kind: 'end-trial' } }],
};

type Edge = {
  readonly from: State['phase'];
  readonly state: string;
  readonly event: string;
  readonly kind: Event['kind'];
  readonly to: State['phase'];
  readonly effects: string;
};

writePage('supervisor-states.md', drawPage());

function drawPage(): string {
  const states = Object.values(STATES).flat();
  const events = Object.values(EVENTS).flat();
  const edges = states.flatMap((state) => events.flatMap((event) => walk(state, event)));
  return `# States of the supervisor

Generated by scripts/draw-states.ts from \`step\` in supervisor/core/step.ts. Reports to the log are left out. What an
update wants of the worker it says with \`suspend\`, \`resume\` and \`end-trial\`; see self-update-states.md.

\`\`\`mermaid
stateDiagram-v2
  direction LR
  [*] --> idle
${drawArrows(edges)}  stopped --> [*]
\`\`\`

## What follows an event

Pairs that are not listed are ignored: the state stays and nothing is done.

${table(
  ['state', 'event', 'next', 'effects'],
  merge(
    edges.map(({ state, event, to, effects }) => [state, event, to, effects]),
    1,
  ),
)}
## Every pair

\`·\` is an event that is ignored.

${table(
  ['event', ...states.map((state) => state.name)],
  events.map((event) => [event.name, ...states.map((state) => walk(state, event)[0]?.to ?? '·')]),
)}`;
}

/** The edge of a pair; none where the event is ignored. */
function walk(state: Named<State>, event: Named<Event>): readonly Edge[] {
  const next = step(state.value, event.value, NOW, POLICY);
  if (next.state === state.value && next.effects.length === 0) return [];
  const effects = next.effects.flatMap(nameEffect).join(', ');
  return [
    {
      from: state.value.phase,
      state: state.name,
      event: event.name,
      kind: event.value.kind,
      to: next.state.phase,
      effects: effects || '-',
    },
  ];
}

function nameEffect(effect: Effect): readonly string[] {
  switch (effect.kind) {
    case 'report':
      return [];
    case 'set-timer':
    case 'clear-timer':
      return [`${effect.kind} ${effect.timer}`];
    case 'signal-worker':
      return [`${effect.kind} ${effect.signal}`];
    case 'exit':
      return [`exit ${effect.code}`];
    case 'start-worker':
      return [effect.trial ? 'start-worker on trial' : effect.kind];
    case 'signal':
      return [`tell the update ${effect.signal.kind}`];
    case 'kill-worker':
      return [effect.kind];
  }
}

/** One arrow for each kind of event that leads from one phase to another. */
function drawArrows(edges: readonly Edge[]): string {
  const arrows = edges
    .filter((edge) => edge.from !== edge.to)
    .map((edge) => `  ${edge.from} --> ${edge.to}: ${edge.kind}\n`);
  // Mermaid takes no hyphen in the name of a state.
  return [...new Set(arrows)].join('').replaceAll('backing-off', 'backing_off');
}
