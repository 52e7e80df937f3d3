import { EXIT, type ExitCode } from '../../../shared/contract/exit-codes.ts';
import { type Failure, formatFailure } from '../../../shared/contract/outcome.ts';
import type { SelfUpdateView } from '../../api/self-update-views.ts';
import { readUpdateState } from '../../updates/read-update-state.ts';
import { viewSelfUpdate } from '../../updates/view-self-update.ts';
import { formatTime } from '../output/format-time.ts';
import { formatTable } from '../output/table.ts';
import { askForStatus } from './ask-for-status.ts';
import type { UpdateCli } from './update-cli.ts';

/** `self-update status`: all there is to say of updates now, by the supervisor or, where it is silent, the files. */
export async function showStatus(cli: UpdateCli): Promise<ExitCode> {
  const status = await askForStatus(cli);
  const facts = await readUpdateState(cli.loaded.paths);
  const view = viewSelfUpdate(facts, { status: status.ok ? status.value : undefined });
  cli.say(describeStatus(view, status.ok ? undefined : status.failure), view);
  return EXIT.ok;
}

function describeStatus(view: SelfUpdateView, silence: Failure | undefined): string {
  const { hold, last, unavailable } = view;
  const rows = [
    ['supervisor', describeSupervisor(view, silence)],
    ['updates', unavailable ? formatFailure(unavailable) : describeAvailable(view)],
    ['hold', hold ? describeHold(hold) : 'none'],
    ['open', ...describeOpen(view.update)],
    [
      'last',
      last ? `${formatTime(last.finished_at)} ${last.outcome} ${describeWay(last)}` : 'none',
    ],
    ...view.quarantine.map(({ version, failure, count, last_at }) => [
      'quarantine',
      `${version} failed ${count}x, at last ${formatTime(last_at)}: ${failure.code}`,
    ]),
    ['go back to', view.retained.map(describeRetained).join(', ') || 'nothing is kept'],
    ...view.unreadable.map((fault) => ['unreadable', fault]),
  ];
  return formatTable(rows);
}

function describeSupervisor({ supervisor }: SelfUpdateView, silence: Failure | undefined): string {
  if (!supervisor) return silence ? formatFailure(silence) : '';
  const { pid, version, slot } = supervisor;
  const where = { target: '', old: ', started from TARGET.old', elsewhere: '' }[slot];
  return `version ${version}, process ${pid}${where}`;
}

/** Without a word of the supervisor nobody knows. */
function describeAvailable({ source }: SelfUpdateView): string {
  return source === 'supervisor' ? 'possible' : 'not known';
}

function describeHold({ at, by, reason, automatic }: NonNullable<SelfUpdateView['hold']>): string {
  const who = automatic ? 'after two bad releases in a row' : `by ${by ?? 'somebody'}`;
  return `since ${formatTime(at)} ${who}${reason === null ? '' : `: ${reason}`}`;
}

function describeOpen(update: SelfUpdateView['update']): string[] {
  if (!update) return ['none'];
  const { txn, state, started_at, progress, failure } = update;
  const parts = [
    `${txn} ${state} ${describeWay(update)}, since ${formatTime(started_at)}`,
    ...(update.dry_run ? ['dry run'] : []),
    ...(progress ? [`${progress.step} ${describeBytes(progress)}`] : []),
    ...(failure ? [formatFailure(failure)] : []),
  ];
  return [parts.join('; ')];
}

function describeWay({ from, to }: Pick<NonNullable<SelfUpdateView['last']>, 'from' | 'to'>) {
  return `${from.version} -> ${to?.version ?? '?'}`;
}

function describeBytes({
  bytes,
  total,
}: {
  readonly bytes: number;
  readonly total: number | null;
}) {
  const inMegabytes = (count: number) => (count / 1_000_000).toFixed(1);
  return total === null
    ? `${inMegabytes(bytes)} MB`
    : `${inMegabytes(bytes)} of ${inMegabytes(total)} MB`;
}

/** A kept version, and whether its database is kept with it. */
export function describeRetained(kept: SelfUpdateView['retained'][number]): string {
  return `${kept.version}${kept.has_database ? ' (with its database)' : ''}`;
}
