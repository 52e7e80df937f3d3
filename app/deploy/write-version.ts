import { type Failure, fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import { formatEnd, isSuccess, type RunCommand } from '../../shared/process/run-command.ts';
import { withTag } from '../domain/image-reference.ts';
import { replaceQuadletImage } from '../domain/quadlet-image.ts';
import { tagImage } from '../host/podman-images.ts';
import { readUnit } from '../host/read-unit.ts';
import { explainManager, reloadManager } from '../host/systemctl.ts';

const TIMEOUT_MS = 20_000;
const MAX_BYTES = 1_048_576;

/** What is behind a link is replaced as a whole, with its owner and mode; the former text stays beside it. */
const WRITE = `set -e
file=$(readlink -f -- "$1")
cp -p -- "$file" "$file.podup-former"
cp -p -- "$file" "$file.podup-new"
printf %s "$2" > "$file.podup-new"
sync "$file.podup-new"
mv -f -- "$file.podup-new" "$file"`;

/**
 * Writes the version that a person chose, and that is proven, into the Quadlet file of a unit, so that it is the one that
 * the unit goes on to run: `image` in its `Image=`. May be repeated. The file; null where it says that already. Fails with
 * VERSION_NOT_WRITTEN; the unit runs the image all the same.
 */
export async function writeVersion(
  run: RunCommand,
  unit: string,
  image: string,
  imageId: string,
): Promise<Outcome<string | null>> {
  const read = await readUnit(run, unit);
  if (!read.ok) return read;
  if (read.value.image && withTag(read.value.image) === image) return succeed(null);
  const { sourcePath } = read.value;
  if (!sourcePath.endsWith('.container'))
    return notWritten(`${unit} is made of no .container file.`);
  const text = await run({
    argv: ['cat', '--', sourcePath],
    timeoutMs: TIMEOUT_MS,
    maxOutputBytes: MAX_BYTES,
    isPrivate: true,
  });
  if (!isSuccess(text) || text.stdoutDropped > 0) return notWritten(formatEnd(text));
  const changed = replaceQuadletImage(text.stdout, image);
  if (changed === undefined) return notWritten(`${sourcePath} has no line Image= of its own.`);
  // First of all, for a start from now on must find it.
  const tagged = await tagImage(run, imageId, image);
  if (!tagged.ok) return tagged;
  const written = await run({
    argv: ['sh', '-c', WRITE, 'sh', sourcePath, changed],
    timeoutMs: TIMEOUT_MS,
    hidesArguments: true,
  });
  if (!isSuccess(written)) return notWritten(formatEnd({ ...written, argv: ['sh'] }));
  const reloaded = await reloadManager(run);
  if (!isSuccess(reloaded)) return explainManager(reloaded);
  const now = await readUnit(run, unit);
  if (now.ok && now.value.image && withTag(now.value.image) === image) return succeed(sourcePath);
  return notWritten(`${sourcePath} says ${image}, but a drop-in of it says otherwise.`);
}

function notWritten(detail: string): { readonly ok: false; readonly failure: Failure } {
  return fail('VERSION_NOT_WRITTEN', detail);
}
