import { formatEnd, isSuccess, type RunCommand } from '../../../shared/process/run-command.ts';
import type { UnitFile } from '../../domain/unit-folders.ts';
import type { FolderRequest } from '../host.ts';
import { FOLDER_LIMITS } from '../read-folders.ts';

const TIMEOUT_MS = 30_000;
/** A record is four words, each ended by NUL, which neither a path nor the text of a unit has in it. */
const WORDS = 4;

/**
 * Walks the folders, links followed, and prints what it finds, what lies higher first: path, where that leads to, a fault,
 * the text. Arguments: depth, bytes of a file, the number of endings, the endings, the folders. `read` of bash takes a file
 * without a process of its own. Folders that are not there or not for this user are passed over; other errors end it.
 */
const READ = `depth=$1 max=$2 count=$3; shift 3
names=(-path '*.d/*.conf')
while [ "$count" -gt 0 ]; do names+=(-o -name "*$1"); shift; count=$((count - 1)); done
walk() {
  LC_ALL=C find -L "$1" -maxdepth "$depth" -type d '(' -name '*.wants' -o -name '*.requires' -o -name '*.upholds' ')' -prune \
    -o ! -type d '(' "\${names[@]}" ')' -printf '%d %p/%s\\0'
}
for folder; do
  [ -d "$folder" ] || continue
  said=$(walk "$folder" 2>&1 >/dev/null | grep -v -e 'Permission denied' -e 'No such file' -e 'File system loop')
  if [ -n "$said" ]; then printf '%s\n' "$said" >&2; exit 5; fi
  walk "$folder" 2>/dev/null | sort -z -n | while IFS= read -r -d '' record; do
    path=\${record#* } size=\${record##*/}
    path=\${path%/*} fault= text=
    target=$path
    if [ -L "$path" ]; then target=$(readlink -f -- "$path"); fi
    if ! [ -e "$path" ]; then continue
    elif ! [ -f "$path" ]; then :
    elif ! [ -r "$path" ]; then fault=EACCES
    elif [ "$size" -gt "$max" ]; then fault=EFBIG
    else IFS= read -r -d '' text <"$path"; fi
    printf '%s\\0%s\\0%s\\0%s\\0' "$path" "$target" "$fault" "$text"
  done
done
exit 0`;

const FAULTS: Readonly<Record<string, string>> = {
  EACCES: 'It cannot be read (EACCES).',
  EFBIG: 'It is larger than 256 KiB.',
};

/** See `Host.readFolders`; another host, by one command. */
export async function readRemoteFolders(
  run: RunCommand,
  { folders, endings, depth }: FolderRequest,
): Promise<readonly UnitFile[]> {
  const numbers = [depth + 1, FOLDER_LIMITS.fileBytes, endings.length].map(String);
  const result = await run({
    argv: ['bash', '-c', READ, 'bash', ...numbers, ...endings, ...folders],
    timeoutMs: TIMEOUT_MS,
    maxOutputBytes: FOLDER_LIMITS.allBytes,
    // Units with passwords in their environment are among them.
    isPrivate: true,
  });
  if (!isSuccess(result)) {
    const code = result.end.kind === 'exited' ? 'EIO' : 'EHOSTUNREACH';
    // The command itself is a program, and says nothing to a person.
    const end = formatEnd({ ...result, argv: ['find', ...folders] });
    throw Object.assign(new Error(end), { code });
  }
  if (result.stdoutDropped > 0) {
    throw Object.assign(new Error('more unit files than are anywhere'), { code: 'EFBIG' });
  }
  return readRecords(result.stdout);
}

function readRecords(stdout: string): readonly UnitFile[] {
  const words = stdout.split('\0');
  const files: UnitFile[] = [];
  for (let at = 0; at + WORDS <= words.length; at += WORDS) {
    const [path = '', target = '', fault = '', text = ''] = words.slice(at, at + WORDS);
    const known = fault === '' ? null : (FAULTS[fault] ?? fault);
    files.push({ path, target, text: known === null ? text : null, fault: known });
  }
  return files;
}
