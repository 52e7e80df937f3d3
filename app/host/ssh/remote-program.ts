/**
 * What runs on the other host for every command: it takes the argument list from its standard input, runs it in a
 * process group of its own, and says on stderr that it began and how it ended. It is one constant line which every login
 * shell (sh, bash, fish, csh) hands on as it is: in single quotes, without quotes, backslashes, line breaks, or a `!` but before a blank (csh(1), history).
 *
 * Nothing that arrives is ever parsed by a shell: `read` takes each NUL-terminated word as it is into an array, and the
 * array is what is run. A list that arrives in part is not run. Its standard input stays open, as a line of life: when
 * it ends, because we stop the command or because sshd has given the connection up, and when the command has run for
 * longer than its limit, the group gets SIGTERM, and SIGKILL after the grace.
 *
 * Needs bash 4 or later, setsid (util-linux) and sleep (coreutils), as hosts with systemd have them. The login shell must
 * print nothing of its own. See bash(1), sshd(8) LOGIN PROCESS.
 */
export const REMOTE_COMMAND = `exec bash -c '${joinLines(`
  # 3 is for the command and the marks; what bash itself has to say (Terminated) is no part of either.
  exec 3>&2 2>/dev/null;
  # Bytes, whatever the words are made of.
  LC_ALL=C;
  take() { IFS= read -r -d "" "$1" || exit 1; };
  take nonce; take limit; take grace; take count; take has_input; take input;
  words=();
  while [ "\${#words[@]}" -lt "$count" ]; do take word; words+=("$word"); done;
  export LC_ALL=C.UTF-8 XDG_RUNTIME_DIR="\${XDG_RUNTIME_DIR:-/run/user/$UID}";
  export DBUS_SESSION_BUS_ADDRESS="\${DBUS_SESSION_BUS_ADDRESS:-unix:path=$XDG_RUNTIME_DIR/bus}";
  say() { printf "podup-%s %s;" "$nonce" "$1" >&3; };
  program=$(type -P -- "\${words[0]}");
  if [ -z "$program" ] && [ -e "\${words[0]}" ]; then say "denied 0"; exit 0; fi;
  if [ -z "$program" ]; then say "missing 0"; exit 0; fi;
  say "began 0";
  if [ "$has_input" = 1 ];
  then exec 4< <(exec </dev/null 3>&-; printf %s "$input");
  else exec 4</dev/null; fi;
  # Not a group leader, as there is no job control: setsid becomes the command without another fork. What runs beside a
  # shell ignores these signals, sh(1).
  { trap - INT QUIT; exec setsid -- "\${words[@]}"; } <&4 2>&3 3>&- 4<&- & child=$! ;
  exec 4<&-;
  # It holds none of the streams of sshd once it acts, so that the channel closes with the command. Before setsid has
  # run there is no group yet.
  { read -r -t "$limit" _; trap "" TERM; exec </dev/null;
    kill -TERM -- "-$child" || kill -TERM "$child"; sleep "$grace"; kill -KILL -- "-$child"; }
  <&0 >/dev/null 3>&- & watch=$! ;
  wait "$child"; code=$?;
  # The end of the input counts as input: what did not heed SIGTERM in the group of a command that was stopped goes with it.
  read -t 0 _ && kill -KILL -- "-$child";
  kill "$watch";
  say "exited $code"
`)}'`;

/** The program without its comments, on one line. */
function joinLines(program: string): string {
  const lines = program.split('\n').map((line) => line.trim());
  return lines.filter((line) => line !== '' && !line.startsWith('#')).join(' ');
}

/** Linux takes no longer argument (`MAX_ARG_STRLEN`, execve(2)), and no longer list with the usual limit of the stack. */
const MAX_ARGUMENT_BYTES = 131_071;
const MAX_LIST_BYTES = 1_048_576;
/** How much later than here the other side ends a command by its clock: what ends it is our word, or else our silence. */
const LIMIT_MARGIN_MS = 10_000;

/** One command on its way. */
export type RemoteRequest = {
  /** Unguessable for the command, so that it cannot say in our name how it ended. */
  readonly nonce: string;
  readonly argv: readonly string[];
  readonly timeoutMs: number;
  readonly killGraceMs: number;
  readonly input?: string | undefined;
};

/** The request as `REMOTE_COMMAND` reads it, or why it cannot be sent, as execve(2) would say. */
export function encodeRequest(
  request: RemoteRequest,
): { readonly bytes: Buffer } | { readonly refusal: string } {
  const { argv, input = '' } = request;
  if ([...argv, input].some((word) => word.includes('\0'))) {
    return { refusal: 'EINVAL: a NUL byte cannot be handed to a program' };
  }
  const words = argv.map((word) => Buffer.from(word));
  const total = words.reduce((sum, word) => sum + word.length + 1, 0);
  if (total > MAX_LIST_BYTES || words.some(({ length }) => length > MAX_ARGUMENT_BYTES)) {
    return { refusal: 'E2BIG' };
  }
  const head = [
    request.nonce,
    toSeconds(request.timeoutMs + LIMIT_MARGIN_MS),
    toSeconds(request.killGraceMs),
    String(argv.length),
    request.input === undefined ? '0' : '1',
    input,
  ];
  const end = Buffer.from([0]);
  return {
    bytes: Buffer.concat(
      [...head.map((word) => Buffer.from(word)), ...words].flatMap((word) => [word, end]),
    ),
  };
}

function toSeconds(ms: number): string {
  return String(Math.max(1, Math.ceil(ms / 1000)));
}
