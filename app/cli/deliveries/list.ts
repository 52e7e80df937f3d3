import { EXIT, type ExitCode } from '../../../shared/contract/exit-codes.ts';
import type {
  DeliveryPageView,
  MissedPageView,
  RefusedPageView,
} from '../../api/delivery-views.ts';
import type { Calling } from '../call-note.ts';
import { callService } from '../call-service.ts';
import { formatTime } from '../output/format-time.ts';
import { print, printJson } from '../output/say.ts';
import { findScreen } from '../output/screen.ts';
import { formatTable } from '../output/table.ts';

/** Options of a list: each but `json` is a part of the query. */
export type ListOptions = Readonly<Record<string, string>> & { readonly json?: never };

type Described = {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly none: string;
};

/** `deliveries list`. */
export function listDeliveries(options: ListOptions, calling: Calling): Promise<ExitCode> {
  return show('/api/deliveries', options, calling, (page: DeliveryPageView) => ({
    head: ['ID', 'RECEIVED', 'SENDER', 'UNIT', 'VERDICT', 'REASON', 'TASK'],
    rows: page.deliveries.map((one) => [
      ...[one.id, formatTime(one.received_at), one.hook ?? one.source, one.unit, one.verdict],
      ...[one.reason ?? '', one.task ? `${one.task.task_id} ${one.task.status}` : ''],
    ]),
    none: 'No delivery is like that.',
  }));
}

/** `deliveries refused`. */
export function listRefused(options: ListOptions, calling: Calling): Promise<ExitCode> {
  return show('/api/deliveries/refused', options, calling, (page: RefusedPageView) => ({
    head: ['FIRST', 'COUNT', 'ADDRESS', 'PATH', 'CODE', 'REASON'],
    rows: page.refused.map((one) => [
      ...[formatTime(one.first_at), String(one.count), one.address, one.path, one.code],
      one.reason ?? '',
    ]),
    none: 'Nothing was refused.',
  }));
}

/** `deliveries missed`. */
export function listMissed(options: ListOptions, calling: Calling): Promise<ExitCode> {
  return show('/api/deliveries/missed', options, calling, (page: MissedPageView) => ({
    head: ['FOUND', 'UNIT', 'IMAGE', 'DIGEST', 'TASK'],
    rows: page.missed.map((one) => [
      ...[formatTime(one.found_at), one.unit, one.image, one.digest, one.task_id ?? ''],
    ]),
    none: 'None was missed.',
  }));
}

async function show<P extends { readonly next_cursor: string | null }>(
  path: string,
  { json, ...wanted }: ListOptions,
  calling: Calling,
  describe: (page: P) => Described,
): Promise<ExitCode> {
  const answer = await callService(calling, { path: `${path}?${new URLSearchParams(wanted)}` });
  if (!answer.isGood) return answer.exit;
  const page = answer.body as P;
  if (json) printJson(page);
  else {
    const { head, rows, none } = describe(page);
    const more = page.next_cursor === null ? '' : `\nMore: --cursor ${page.next_cursor}`;
    print(
      rows.length === 0
        ? `${none}${more}`
        : `${formatTable(rows, { head, screen: findScreen() })}${more}`,
    );
  }
  return EXIT.ok;
}
