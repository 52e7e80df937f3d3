import { EXIT, type ExitCode } from '../../shared/contract/exit-codes.ts';
import type { QuarantinedImageView, ReleasedView } from '../api/views.ts';
import type { Calling } from './call-note.ts';
import { callService } from './call-service.ts';
import { formatTime } from './output/format-time.ts';
import { print, printJson } from './output/say.ts';

type Options = { readonly json?: boolean };

/** `quarantine list`: the images that failed for a unit and are not deployed to it again. */
export async function showQuarantine({ json }: Options, calling: Calling): Promise<ExitCode> {
  const answer = await callService(calling, { path: '/api/quarantine' });
  if (!answer.isGood) return answer.exit;
  const { images } = answer.body as { readonly images: readonly QuarantinedImageView[] };
  if (json) printJson({ images });
  else if (images.length === 0) print('No image is in quarantine.');
  else print(images.map(describe).join('\n'));
  return EXIT.ok;
}

function describe(image: QuarantinedImageView): string {
  const { unit, digest, count, last_at, expires_at, timer_guard, error } = image;
  const often = count === 1 ? 'once' : `${count} times`;
  const until = expires_at === null ? 'until it is released' : `until ${formatTime(expires_at)}`;
  const lines = [
    `${unit} ${digest}`,
    `  ${image.image}, failed ${often}, last ${formatTime(last_at)}, left alone ${until}`,
    `  ${error.code}: ${error.sentence} ${error.detail}`.trimEnd(),
  ];
  if (timer_guard !== null) lines.push(`  the timer of podman is kept off it by ${timer_guard}`);
  return lines.map((line) => line.replaceAll(/\p{Cc}/gu, ' ')).join('\n');
}

/** `quarantine release UNIT [DIGEST]`: lets it be deployed again; without a digest all images of the unit. */
export async function releaseQuarantine(
  unit: string,
  digest: string | undefined,
  { json }: Options,
  calling: Calling,
): Promise<ExitCode> {
  const parts = [unit, ...(digest === undefined ? [] : [digest])].map(encodeURIComponent);
  const path = `/api/quarantine/${parts.join('/')}`;
  const answer = await callService(calling, { path, method: 'DELETE' });
  const { released } = (answer.body ?? { released: answer.isGood ? 1 : 0 }) as ReleasedView;
  calling.note.meta = { unit, digest: digest ?? null, released };
  if (!answer.isGood) return answer.exit;
  if (json) printJson({ unit, digest: digest ?? null, released });
  else print(`${unit}: ${released} released; push again or redeliver the webhook.`);
  return EXIT.ok;
}
