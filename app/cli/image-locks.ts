import { EXIT, type ExitCode } from '../../shared/contract/exit-codes.ts';
import type { ImageLockReleaseView, ImageLocksView } from '../api/limit-views.ts';
import type { Calling } from './call-note.ts';
import { callService } from './call-service.ts';
import { formatTime } from './output/format-time.ts';
import { print, printJson } from './output/say.ts';

type Options = { readonly json?: boolean };

/** `image-locks list`: the images that are being deployed, and how often each was. */
export async function showImageLocks({ json }: Options, calling: Calling): Promise<ExitCode> {
  const answer = await callService(calling, { path: '/api/image-locks' });
  if (!answer.isGood) return answer.exit;
  const view = answer.body as ImageLocksView;
  if (json) printJson(view);
  else print(describe(view).join('\n'));
  return EXIT.ok;
}

function describe({ locks, limit, limits }: ImageLocksView): string[] {
  const held = locks.map(
    ({ bucket, unit, task_id: id, acquired_at: at }) =>
      `${bucket}  held since ${formatTime(isoTime(at))} by ${id} of ${unit}`,
  );
  const used = limits.map(({ bucket, used, waiting, free_at: at }) => {
    const until = at === null ? '' : `, again at ${formatTime(isoTime(at))}`;
    const wait = waiting === 0 ? '' : `, ${waiting} waiting`;
    return `${bucket}  deployed ${used} of ${limit.count} times in ${limit.window_secs} s${until}${wait}`;
  });
  const lines = [...held, ...used].map((line) => line.replaceAll(/\p{Cc}/gu, ' '));
  return lines.length === 0 ? ['No image is held, and none was deployed lately.'] : lines;
}

/** `image-locks release NAME`: forgets how often it was deployed. */
export async function releaseLock(
  name: string,
  { json }: Options,
  calling: Calling,
): Promise<ExitCode> {
  const path = `/api/image-locks/${encodeURIComponent(name)}`;
  const answer = await callService(calling, { path, method: 'DELETE' });
  calling.note.meta = { name };
  if (!answer.isGood) return answer.exit;
  const { bucket, rows, begun, held_by: holder } = answer.body as ImageLockReleaseView;
  calling.note.meta = { bucket, rows, begun };
  if (json) printJson(answer.body);
  else {
    const still = holder === null ? '' : ` ${holder} still deploys it.`;
    print(
      `${bucket}: ${rows} deployments forgotten, ${begun} tasks need not wait for them.${still}`,
    );
  }
  return EXIT.ok;
}

function isoTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
