import type {
  Open,
  Soaking,
  UpdateContext,
  UpdateEffect,
  UpdateMachine,
  UpdateStep,
} from './machine.ts';
import { become } from './moves.ts';

/** Good answers in a row, through the real socket. */
const PROBES = { full: 5, short: 2 } as const;
const PROBE_EVERY_MS = { min: 50, max: 10_000 } as const;

type Plan = { readonly ms: number; readonly probes: number };

/** How long, and how often asked, a worker has to serve: in full for what is new, shortly for what is known. */
export function planSoak({ record }: Open, { rules }: UpdateContext): Plan {
  const short = (ms: number) => ({ ms: Math.min(ms, rules.soakMs), probes: PROBES.short });
  if (record.state === 'rolling-back') return short(rules.settleMs);
  if (record.state === 'handing-over') return short(rules.handedOverSoakMs);
  return { ms: rules.soakMs, probes: PROBES.full };
}

/** It is up: now it has to serve for a while without a fault. */
export function beginSoak(machine: UpdateMachine, open: Open, context: UpdateContext): UpdateStep {
  const { ms } = planSoak(open, context);
  const soaking: Soaking = { what: 'soaking', untilMs: context.nowMs + ms, good: 0, failures: 0 };
  return become(machine, { ...open, doing: soaking }, [nextProbe(open, context)]);
}

/** When it is asked next. */
export function nextProbe(open: Open, context: UpdateContext): UpdateEffect {
  const { ms, probes } = planSoak(open, context);
  const { min, max } = PROBE_EVERY_MS;
  const afterMs = Math.min(Math.max(Math.round(ms / probes), min), max);
  return { kind: 'set-update-timer', timer: 'probe', afterMs };
}
