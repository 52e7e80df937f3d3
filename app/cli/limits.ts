import { EXIT, type ExitCode } from '../../shared/contract/exit-codes.ts';
import type { LimitsView } from '../api/limit-views.ts';
import type { Calling } from './call-note.ts';
import { callService } from './call-service.ts';
import { formatTime } from './output/format-time.ts';
import { print, printForeign, printJson } from './output/say.ts';

type Options = { readonly json?: boolean };

/** `limits list`: every limit, and how much of it is used. */
export async function showLimits({ json }: Options, calling: Calling): Promise<ExitCode> {
  const answer = await callService(calling, { path: '/api/limits' });
  if (!answer.isGood) return answer.exit;
  const view = answer.body as LimitsView;
  if (json) printJson(view);
  else printForeign(describe(view).join('\n'));
  return EXIT.ok;
}

function describe({ auto_update, images, credentials, connections }: LimitsView): string[] {
  const until = (at: string | null) => (at === null ? '' : `, again at ${formatTime(at)}`);
  const windows = auto_update.windows.map(
    ({ used, count, window_secs: seconds }) => `${used} of ${count} in ${seconds} s`,
  );
  const { per_address, total, window_secs: seconds } = credentials;
  const tallies = [...credentials.totals, ...credentials.addresses].map(
    ({ kind, address, failed, refused, limited_until: limited }) =>
      `  ${address} ${kind}: ${failed} failed, ${refused} refused${until(limited)}`,
  );
  return [
    `POST /auto-update: ${windows.join(', ')}${until(auto_update.free_at)}`,
    `deployments of one image: ${images.count} in ${images.window_secs} s`,
    `wrong credentials: ${per_address} of one address, ${total} in all in ${seconds} s`,
    ...tallies,
    ...describeConnections(connections),
  ];
}

function describeConnections(connections: LimitsView['connections']): string[] {
  if (!connections) return ['connections: no service runs'];
  const { max, max_per_address: each, open, addresses, cut, cut_at: at } = connections;
  const count = open.fresh + open.idle + open.receiving + open.answering;
  const ended = Object.values(cut).reduce((sum, one) => sum + one, 0);
  const last = at === null ? '' : `, last at ${formatTime(at)}`;
  return [
    `connections: ${count} of ${max}, at most ${each} of one address; ${ended} ended early${last}`,
    ...addresses.map(({ address, open: of }) => `  ${address}: ${of}`),
  ];
}

/** `limits release NAME`: lets an address show credentials again, or `auto-update` through. */
export async function releaseLimit(
  name: string,
  { json }: Options,
  calling: Calling,
): Promise<ExitCode> {
  const isPath = name === 'auto-update';
  const path = `/api/limits/${isPath ? name : `addresses/${encodeURIComponent(name)}`}`;
  const answer = await callService(calling, { path, method: 'DELETE' });
  calling.note.meta = { name };
  if (!answer.isGood) return answer.exit;
  if (json) printJson(answer.body);
  else print(`${name}: what was counted is forgotten.`);
  return EXIT.ok;
}
