import { ERRORS } from '../../shared/contract/error-codes.ts';
import type { Failure, Outcome } from '../../shared/contract/outcome.ts';
import type { UpdateHistoryEntry, UpdateOutcome } from '../../shared/contract/update-history.ts';
import type { UpdateStatus } from '../../shared/contract/update-status.ts';
import { describeFailure, describeOpenUpdate, type OpenUpdate } from './explain-open-update.ts';
import type { ReleaseChannel } from './release-choice.ts';
import type { UpdateFacts } from './update-facts.ts';

/** What a look at the source of releases came to. */
export type FoundNewest = {
  readonly kind: 'other' | 'current';
  readonly version: string | null;
  readonly tag: string;
  readonly skipped: readonly string[];
};

/** Everything that bears on whether, when and to what this program is updated. */
export type UpdateSituation = {
  readonly facts: UpdateFacts;
  /** What the supervisor says of itself, or why nobody knows. */
  readonly status: Outcome<UpdateStatus>;
  /** The version that runs. */
  readonly running: string;
  readonly channel: ReleaseChannel;
  /** The one release that may be installed; null for the newest. */
  readonly pin: string | null;
  readonly schedule: {
    readonly cron: string;
    readonly dryRun: boolean;
    readonly nextAt: number | null;
  } | null;
  /** The last look for a release; null where there was none yet. */
  readonly newest: { readonly at: number; readonly found: Outcome<FoundNewest> } | null;
  /** Whether channel, pin and schedule are those of the service, and not of a command beside it. */
  readonly isService: boolean;
  readonly formatTime: (ms: number) => string;
};

/** The closed list of what a sentence is about. */
export const EXPLAIN_TOPICS = [
  'answer',
  'supervisor',
  'availability',
  'update',
  'hold',
  'schedule',
  'release',
  'quarantine',
  'last',
  'files',
] as const;

/** What a sentence is about. */
export type ExplainTopic = (typeof EXPLAIN_TOPICS)[number];

/** One sentence for a person, and what can be done about it. */
export type Explanation = {
  readonly topic: ExplainTopic;
  readonly text: string;
  readonly hint: string | null;
};

/** Says what is going on with updates of this program and why (not) yet: the answer first, its reasons behind it. */
export function explainUpdate(situation: UpdateSituation): readonly Explanation[] {
  return [
    answer(situation),
    ...explainSupervisor(situation),
    ...explainOpen(situation),
    ...explainHold(situation),
    explainSchedule(situation),
    ...explainRelease(situation),
    ...explainQuarantine(situation),
    ...explainLast(situation),
    ...situation.facts.unreadable.map((fault) => say('files', `A file cannot be read: ${fault}.`)),
  ];
}

/** The open update: by the supervisor where it speaks, else by the record. */
function findOpen({ status, facts }: UpdateSituation): OpenUpdate | undefined {
  if (status.ok) return status.value.update ?? undefined;
  if (facts.record.kind !== 'record') return undefined;
  const { record } = facts.record;
  const { trigger, dryRun } = record.request;
  return { ...record, trigger, dryRun, progress: null };
}

/** The first thing in the way decides; what comes after it would not help. */
function answer(situation: UpdateSituation): Explanation {
  const { status, facts, running, newest, schedule, formatTime } = situation;
  const open = findOpen(situation);
  if (open) return say('answer', `An update is open: it is ${open.state}.`);
  if (!status.ok) return say('answer', 'Nothing can begin: no supervisor answers.');
  if (status.value.unavailable) return say('answer', 'This program cannot be updated here.');
  if (facts.policy.hold) return say('answer', 'No update begins: updates are on hold.');
  if (newest && !newest.found.ok) {
    return say('answer', `${running} stays: no release can be installed now.`);
  }
  if (newest?.found.ok && newest.found.value.kind === 'current') {
    return say('answer', `There is nothing to do: ${running} runs and is what would be installed.`);
  }
  const what = newest?.found.ok
    ? `${newest.found.value.version}`
    : 'A newer release, if there is one,';
  if (schedule?.nextAt == null) {
    const waits = situation.isService
      ? 'waits'
      : 'waits for the schedule of the service, if any, or';
    return say('answer', `${what} ${waits} for somebody to ask for it.`, 'Run: self-update run.');
  }
  const ends = schedule.dryRun ? 'is downloaded and verified, but not installed,' : 'is installed';
  return say(
    'answer',
    `${what} ${ends} at the next scheduled run, ${formatTime(schedule.nextAt)}.`,
  );
}

function explainSupervisor({ status, facts }: UpdateSituation): readonly Explanation[] {
  const sentences: Explanation[] = [];
  if (!status.ok) {
    const text = `${describeFailure(status.failure)} What follows is what the files say.`;
    sentences.push(say('supervisor', text, ERRORS[status.failure.code].hint));
  } else if (status.value.supervisor.slot === 'old') {
    const { version } = status.value.supervisor;
    const text = `The supervisor is ${version}, started from TARGET.old because TARGET could not be started.`;
    sentences.push(say('supervisor', text, 'The log of the service at its last start shows why.'));
  }
  if (status.ok && status.value.unavailable) {
    sentences.push(sayFailure('availability', status.value.unavailable));
  }
  if (facts.record.kind === 'newer') {
    const detail = `It has format ${facts.record.v}.`;
    sentences.push(sayFailure('availability', { code: 'UPDATE_RECORD_NEWER', detail }));
  }
  if (facts.record.kind === 'broken') {
    const text = `The update record UPDATE_LOCK.json cannot be used: ${facts.record.reason}.`;
    sentences.push(say('files', text, 'The supervisor puts it aside at its next start.'));
  }
  return sentences;
}

function explainOpen(situation: UpdateSituation): readonly Explanation[] {
  const open = findOpen(situation);
  if (!open) return [say('update', 'No update is open.')];
  const sentence = say('update', describeOpenUpdate(open, situation.formatTime));
  return open.failure ? [sentence, sayFailure('update', open.failure)] : [sentence];
}

function explainHold({ facts, formatTime }: UpdateSituation): readonly Explanation[] {
  const { hold } = facts.policy;
  if (!hold) return [];
  const since = `Updates are on hold since ${formatTime(hold.at)}`;
  const hint = 'self-update resume ends the hold; self-update run --force passes over it once.';
  if (hold.automatic) {
    return [say('hold', `${since}: two different releases in a row failed here.`, hint)];
  }
  const why = hold.reason === null ? 'without a reason' : `because: ${hold.reason}`;
  return [say('hold', `${since}: ${hold.by ?? 'somebody'} wanted it, ${why}.`, hint)];
}

function explainSchedule({ schedule, isService, formatTime }: UpdateSituation): Explanation {
  if (!isService && !schedule) {
    const text = 'Whether the service has a schedule is not known here; its API tells.';
    return say('schedule', text, 'This command knows only what its own environment sets.');
  }
  if (!schedule) {
    const text = 'There is no schedule, so an update begins only when somebody asks for it.';
    return say('schedule', text, 'PODUP_SELF_UPDATE_CRON sets one.');
  }
  const { cron, dryRun, nextAt } = schedule;
  const next = nextAt === null ? 'never' : formatTime(nextAt);
  const dry = dryRun ? ' It only downloads and verifies (PODUP_SELF_UPDATE_DRY_RUN).' : '';
  return say('schedule', `The schedule is ${cron}; it comes next ${next}.${dry}`);
}

function explainRelease(situation: UpdateSituation): readonly Explanation[] {
  const { pin, channel, newest, running, isService, formatTime } = situation;
  if (!isService && !newest) {
    const text = 'Which releases the service looks at is not known here; its API tells.';
    return [say('release', text, 'This command knows only what its own environment sets.')];
  }
  const rule =
    pin === null
      ? say('release', `Looked at are releases of the channel ${channel}, the newest first.`)
      : say('release', `Only the release ${pin} may be installed.`, 'PODUP_RELEASE_TAG says so.');
  if (!newest) {
    const text = 'Nobody has looked for a release yet.';
    return [rule, say('release', text, 'Run: self-update check.')];
  }
  const at = `A look at ${formatTime(newest.at)}`;
  const { found } = newest;
  if (!found.ok) {
    const text = `${at} found nothing to install: ${describeFailure(found.failure)}`;
    return [rule, say('release', text, ERRORS[found.failure.code].hint)];
  }
  const { kind, version, tag, skipped } = found.value;
  const text =
    kind === 'current'
      ? `${at} found ${tag}, which runs already.`
      : `${at} found ${version} (${tag}); ${running} runs.`;
  const passed = `Passed over, for they failed here: ${skipped.join(', ')}.`;
  return [rule, say('release', text), ...(skipped.length > 0 ? [say('release', passed)] : [])];
}

function explainQuarantine({ facts, formatTime }: UpdateSituation): readonly Explanation[] {
  return facts.quarantine.map(({ version, digest, failure, count, lastAt }) => {
    const often = count === 1 ? 'failed here' : `failed here ${count} times, at last`;
    const which = `${version} (sha256 ${digest.slice(0, 12)}…)`;
    const text = `${which} ${often} at ${formatTime(lastAt)} and is not taken again: ${describeFailure(failure)}`;
    return say('quarantine', text, ERRORS[failure.code].hint);
  });
}

const ENDS: Readonly<Record<UpdateOutcome, string>> = {
  committed: 'was installed',
  'rolled-back': 'was tried and taken back',
  failed: 'was not installed, and nothing was changed',
  cancelled: 'was cancelled, and nothing was changed',
  current: 'ran already',
  'dry-run': 'was downloaded and verified only, as it was wanted',
  superseded: 'gave way to another update',
};

function explainLast({ facts, formatTime }: UpdateSituation): readonly Explanation[] {
  const last = facts.history.at(-1);
  if (!last) return [say('last', 'No update has ended here yet.')];
  const sentence = say('last', describeLast(last, formatTime));
  return last.failure ? [sentence, sayFailure('last', last.failure)] : [sentence];
}

function describeLast(last: UpdateHistoryEntry, formatTime: (ms: number) => string): string {
  const to = last.to?.version ?? 'the release';
  const database = last.databaseRestored ? ' The database of before was put back.' : '';
  return `The last update, ${last.txn}, ended at ${formatTime(last.finishedAt)}: ${to} ${ENDS[last.outcome]}.${database}`;
}

function say(topic: ExplainTopic, text: string, hint: string | null = null): Explanation {
  return { topic, text, hint };
}

function sayFailure(topic: ExplainTopic, failure: Failure): Explanation {
  return say(topic, describeFailure(failure), ERRORS[failure.code].hint);
}
