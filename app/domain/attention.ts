import type {
  AttentionAction,
  AttentionFacts,
  AttentionItem,
  AttentionKind,
  TaskFacts,
} from './attention-facts.ts';
import { type HealthState, type Severity, severityOf } from './health.ts';

/** Everything that wants a person: the errors first, of each the latest first. */
export function listAttention(facts: AttentionFacts): readonly AttentionItem[] {
  const items: AttentionItem[] = [
    ...facts.health.flatMap((state) => ofHealth(state) ?? []),
    ...facts.failed.map(ofFailed),
    ...facts.stuck.map(ofStuck),
    ...facts.limited.map(ofLimited),
    ...facts.quarantined.map(ofQuarantined),
    ...facts.jobs.flatMap((job) => [ofFailedJob(job) ?? [], ofMissedJob(job) ?? []].flat()),
    ...(facts.hold ? [ofHold(facts.hold)] : []),
    ...facts.refusals.map(ofRefusal),
    ...facts.limits.map(ofLimit),
    ...facts.faults.map(ofFault),
    ...facts.damaged.map(ofDamaged),
    ...facts.imageLimited.map(ofImageLimit),
    ...facts.credentials.map(ofCredentials),
    ...(facts.connections ? [ofConnections(facts.connections)] : []),
    ...facts.lockedHooks.map(ofLockedHook),
    ...(facts.missed ? [ofMissed(facts.missed)] : []),
  ];
  const rank = ({ severity }: AttentionItem) => (severity === 'error' ? 0 : 1);
  return items.sort((a, b) => rank(a) - rank(b) || b.since - a.since || (a.id < b.id ? -1 : 1));
}

function ofHealth({ component, failure, since }: HealthState): AttentionItem | undefined {
  if (!failure) return undefined;
  return {
    ...{ id: `health ${component} ${failure.code}`, kind: 'health', unit: null, ...failure },
    severity: severityOf(failure.code),
    since: since ?? 0,
    action: {
      hint: '',
      command: 'pod-upgrade-trigger doctor',
      api: { method: 'GET', path: '/health' },
    },
  };
}

function ofFailed(task: TaskFacts): AttentionItem {
  // Brought back, the unit serves what it served before.
  const isDown = task.error_code === 'ROLLBACK_FAILED' || task.status !== 'failed';
  return {
    ...ofTask('failed-task', task, isDown ? 'error' : 'warning'),
    since: task.finished_at ?? task.created_at,
    action: {
      hint: 'Look at what it did; do it anew once the cause is gone. A later success ends this.',
      command: `pod-upgrade-trigger tasks retry ${task.id}`,
      api: { method: 'POST', path: `/api/tasks/${task.id}/retry` },
    },
  };
}

function ofStuck(task: TaskFacts): AttentionItem {
  const runs = task.status === 'running';
  return {
    ...ofTask('stuck-task', task, 'error'),
    since: task.created_at,
    action: {
      hint: runs
        ? 'It runs for longer than any deployment may: look at its log, and stop it.'
        : 'Its time has come, but nothing begins it: look at what runs, and whether an update is open.',
      command: `pod-upgrade-trigger tasks ${runs ? 'stop' : 'show'} ${task.id}`,
      api: runs
        ? { method: 'POST', path: `/api/tasks/${task.id}/stop` }
        : { method: 'GET', path: `/api/tasks/${task.id}` },
    },
  };
}

function ofLimited(task: TaskFacts): AttentionItem {
  return {
    ...ofTask('registry-limit', task, 'warning'),
    code: 'REGISTRY_RATE_LIMITED',
    since: task.created_at,
    action: {
      hint: 'It goes on by itself when the registry lets it; a login has a higher limit.',
      command: `pod-upgrade-trigger tasks show ${task.id}`,
      api: { method: 'GET', path: `/api/tasks/${task.id}` },
    },
  };
}

function ofTask(kind: AttentionKind, task: TaskFacts, severity: Severity) {
  const { id, unit, error_code: code, error_detail, summary } = task;
  return { id: `${kind} ${id}`, kind, severity, unit, code, detail: error_detail || summary };
}

function ofQuarantined(image: AttentionFacts['quarantined'][number]): AttentionItem {
  const { unit, digest, code, last_at } = image;
  return {
    ...{ id: `quarantined-image ${unit} ${digest}`, kind: 'quarantined-image', unit, code },
    severity: 'warning',
    detail: `${image.image} ${digest}: ${image.detail}`,
    since: last_at,
    action: {
      hint: 'Push a better image; or release this one, if it was not to blame.',
      command: `pod-upgrade-trigger quarantine release ${unit} ${digest}`,
      api: { method: 'DELETE', path: `/api/quarantine/${encodeURIComponent(unit)}/${digest}` },
    },
  };
}

type Job = AttentionFacts['jobs'][number];

function ofFailedJob({ name, failed }: Job): AttentionItem | undefined {
  if (!failed) return undefined;
  return {
    ...{ id: `failed-job ${name} ${failed.at}`, kind: 'failed-job', unit: null },
    ...{ severity: 'warning', code: failed.code, detail: `${name} went wrong.`, since: failed.at },
    action: runJob(name, 'Look at its task; have it done anew once the cause is gone.'),
  };
}

function ofMissedJob({ name, missedAt }: Job): AttentionItem | undefined {
  if (missedAt === null) return undefined;
  return {
    ...{ id: `missed-job ${name} ${missedAt}`, kind: 'missed-job', unit: null, code: null },
    ...{ severity: 'warning', detail: `${name} was due and has not begun.`, since: missedAt },
    action: runJob(name, 'The service runs, but its schedule does not: have it done now.'),
  };
}

function runJob(name: string, hint: string): AttentionAction {
  const command = `pod-upgrade-trigger schedule run ${name}`;
  return { hint, command, api: { method: 'POST', path: `/api/schedule/${name}/run` } };
}

function ofHold({ at, reason }: NonNullable<AttentionFacts['hold']>): AttentionItem {
  return {
    ...{ id: `held-update ${at}`, kind: 'held-update', unit: null, code: null },
    ...{ severity: 'warning', detail: reason ?? '', since: at },
    action: {
      hint: 'No update of this program begins by itself until that is over.',
      command: 'pod-upgrade-trigger self-update resume',
      api: { method: 'POST', path: '/api/self-update/resume' },
    },
  };
}

function ofRefusal({ image, code, detail, at }: AttentionFacts['refusals'][number]): AttentionItem {
  return {
    ...{ id: `registry-refusal ${image} ${code}`, kind: 'registry-refusal', unit: null, code },
    ...{ severity: 'warning', detail: `${image}: ${detail}`, since: at },
    action: {
      hint: '',
      command: 'pod-upgrade-trigger units check --all',
      api: { method: 'POST', path: '/api/update-checks' },
    },
  };
}

function ofLimit({ host, detail, at }: AttentionFacts['limits'][number]): AttentionItem {
  const code = 'REGISTRY_RATE_LIMITED';
  return {
    ...{ id: `registry-limit ${host}`, kind: 'registry-limit', unit: null, code },
    ...{ severity: 'warning', since: at },
    detail: `${host}: ${detail}`,
    action: {
      hint: 'It is asked again by itself; a login has a higher limit.',
      command: `podman login ${host}`,
      api: null,
    },
  };
}

function ofFault({ unit, fault, at }: AttentionFacts['faults'][number]): AttentionItem {
  return {
    ...{ id: `unit-fault ${unit}`, kind: 'unit-fault', unit, code: null },
    ...{ severity: 'warning', detail: fault, since: at },
    action: {
      hint: 'Correct its file, then have the manager read it: systemctl --user daemon-reload.',
      command: `systemctl --user cat ${unit}`,
      api: null,
    },
  };
}

function ofDamaged({ name, at }: AttentionFacts['damaged'][number]): AttentionItem {
  return {
    ...{ id: `damaged-deliveries ${name}`, kind: 'damaged-deliveries', unit: null, code: null },
    ...{ severity: 'error', detail: `${name} in the spool cannot be read.`, since: at },
    action: {
      hint: 'What was accepted there may be lost: redeliver in the settings of the hook, then remove the file.',
      command: null,
      api: null,
    },
  };
}

function ofMissed(missed: NonNullable<AttentionFacts['missed']>): AttentionItem {
  const { count, units, recovered, at } = missed;
  const found = `${count} pushes to ${units} units were deployed although no delivery had told of them.`;
  const late = `${recovered} deliveries of GitHub had failed, and came when they were asked for again.`;
  return {
    ...{ id: 'missed-deliveries', kind: 'missed-deliveries', unit: null, code: null },
    ...{ severity: 'warning', since: at },
    detail: [...(count > 0 ? [found] : []), ...(recovered > 0 ? [late] : [])].join(' '),
    action: {
      hint: 'Look at the deliveries in the settings of the hook, at its sender: was the service down, or is the hook refused?',
      command: 'pod-upgrade-trigger deliveries missed',
      api: { method: 'GET', path: '/api/deliveries/missed' },
    },
  };
}

function ofImageLimit(task: TaskFacts): AttentionItem {
  return {
    ...ofTask('image-limit', task, 'warning'),
    ...{ code: null, since: task.created_at },
    action: {
      hint: 'Its image is pushed very often. It is deployed when its time has come; release the image to have it now.',
      command: 'pod-upgrade-trigger image-locks list',
      api: { method: 'GET', path: '/api/image-locks' },
    },
  };
}

function ofCredentials(tally: AttentionFacts['credentials'][number]): AttentionItem {
  const { kind, address, count, since } = tally;
  return {
    ...{ id: `credentials-limited ${kind} ${address} ${since}`, kind: 'credentials-limited' },
    ...{ unit: null, code: 'CREDENTIALS_LIMITED', severity: 'warning', since },
    detail: `${address === '*' ? 'All addresses' : address}: ${count} for ${kind}.`,
    action: {
      hint: 'Somebody guesses, or a script has an old token or secret: look at the events of the address.',
      command: `pod-upgrade-trigger limits release '${address}'`,
      api: { method: 'DELETE', path: `/api/limits/addresses/${encodeURIComponent(address)}` },
    },
  };
}

function ofConnections({ count, at }: NonNullable<AttentionFacts['connections']>): AttentionItem {
  return {
    ...{ id: 'connections-limited', kind: 'connections-limited', unit: null, code: null },
    ...{ severity: 'warning', since: at },
    detail: `${count} since the start.`,
    action: {
      hint: 'Too many connections, or ones that send nothing: see who has them, and keep strangers off by a firewall or a proxy.',
      command: 'pod-upgrade-trigger limits list',
      api: { method: 'GET', path: '/api/limits' },
    },
  };
}

function ofLockedHook({ name, at }: AttentionFacts['lockedHooks'][number]): AttentionItem {
  return {
    ...{ id: `locked-hook ${name} ${at}`, kind: 'locked-hook', unit: null, severity: 'error' },
    ...{ code: 'HOOK_KEY_MISSING', detail: `The hook is ${name}.`, since: at },
    action: {
      hint: '',
      command: `pod-upgrade-trigger hooks rotate ${name}`,
      api: { method: 'POST', path: `/api/hooks/${name}/rotate` },
    },
  };
}

/** Whether a person has seen an item: a word from before it began is none. */
export function isSeen(
  item: AttentionItem,
  mark: { readonly seen_at: number } | undefined,
): boolean {
  return mark !== undefined && mark.seen_at >= item.since;
}

/** The failure of an item in words of its own, where its code says nothing. */
export function titleOf({ kind }: AttentionItem): string {
  return TITLES[kind];
}

const TITLES: Readonly<Record<AttentionKind, string>> = {
  health: 'Something of the host or of this program is not as it should be.',
  'failed-task': 'A deployment went wrong, and none has gone well since.',
  'stuck-task': 'A task does not get on.',
  'quarantined-image': 'An image failed for a unit and is not deployed to it again.',
  'failed-job': 'A job of the schedule went wrong.',
  'missed-job': 'A job of the schedule has not begun in its time.',
  'held-update': 'Updates of this program are on hold.',
  'registry-limit': 'A registry limits the rate of requests.',
  'registry-refusal': 'A registry does not tell what a tag means.',
  'unit-fault': 'The file of a unit has a fault, so it cannot be deployed.',
  'image-limit': 'An image is pushed so often that its deployment waits.',
  'credentials-limited': 'So many credentials were wrong that no more are looked at.',
  'connections-limited': 'Connections are ended before their time.',
  'damaged-deliveries': 'Accepted deliveries cannot be read any more.',
  'locked-hook': 'The secrets of a hook cannot be opened, so nobody is let in.',
  'missed-deliveries': 'Images were pushed and no delivery has told of it in its time.',
};
