import { EXIT, type ExitCode } from '../../../shared/contract/exit-codes.ts';
import type { EventPageView, EventView } from '../../api/views.ts';
import type { Calling } from '../call-note.ts';
import { callService } from '../call-service.ts';
import { formatTime } from '../output/format-time.ts';
import { print, printJson } from '../output/say.ts';
import { findScreen } from '../output/screen.ts';
import { formatTable } from '../output/table.ts';
import { type FilterOptions, toQuery } from './to-query.ts';

/** What `events list` is called with. */
export type ListOptions = FilterOptions & {
  readonly limit: string;
  readonly cursor?: string;
  readonly json?: boolean;
};

const HEAD = ['ID', 'TIME', 'METHOD', 'PATH', 'STATUS', 'ACTION', 'ACTOR', 'CODE', 'TASK'];

/** `events list`: looks on by itself until there are as many as were asked for, or nothing is left. */
export async function showEvents(
  { json, ...options }: ListOptions,
  calling: Calling,
): Promise<ExitCode> {
  const events: EventView[] = [];
  for (let { cursor } = options; ; ) {
    const left = Number(options.limit) - events.length;
    const limit = events.length === 0 ? options.limit : String(left);
    const query = toQuery({ ...options, limit, ...(cursor !== undefined && { cursor }) });
    const answer = await callService(calling, { path: `/api/events?${query}` });
    if (!answer.isGood) return answer.exit;
    const page = answer.body as EventPageView;
    events.push(...page.events);
    cursor = page.next_cursor ?? undefined;
    if (cursor !== undefined && page.events.length < left) continue;
    const found: EventPageView = { ...page, events };
    if (json) printJson(found);
    else print(describe(found));
    return EXIT.ok;
  }
}

function describe({ events, next_cursor: cursor }: EventPageView): string {
  if (events.length === 0) return 'No event is like that.';
  const table = formatTable(events.map(toRow), { head: HEAD, screen: findScreen() });
  return cursor === null ? table : `${table}\nMore: --cursor ${cursor}`;
}

function toRow({ id, ts, method, path, status, action, actor, code, task_id }: EventView) {
  return [
    String(id),
    formatTime(ts),
    method,
    path,
    String(status),
    action,
    actor ?? '',
    code ?? '',
    task_id ?? '',
  ];
}
