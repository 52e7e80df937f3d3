/** Options of `podman run` that take no value (podman-run(1), 4.3 to 5.x); every other one takes one. */
const RUN_SWITCHES = new Set([
  '--detach',
  '--disable-content-trust',
  '--env-host',
  '--help',
  '--http-proxy',
  '--init',
  '--interactive',
  '--no-healthcheck',
  '--no-hostname',
  '--no-hosts',
  '--oom-kill-disable',
  '--passwd',
  '--privileged',
  '--publish-all',
  '--quiet',
  '--read-only',
  '--read-only-tmpfs',
  '--replace',
  '--rm',
  '--rmi',
  '--sig-proxy',
  '--tls-verify',
  '--tty',
  '--unsetenv-all',
]);
const RUN_SHORT_SWITCHES = new Set(['P', 'd', 'i', 'q', 't']);

/** The same for `podman` itself (podman(1)). */
const GLOBAL_SWITCHES = new Set([
  '--help',
  '--noout',
  '--remote',
  '--syslog',
  '--transient-store',
  '--version',
]);
const GLOBAL_SHORT_SWITCHES = new Set(['r', 'v']);

/**
 * The image that a start command runs: `/usr/bin/podman run [OPTIONS] IMAGE [COMMAND]`, as Quadlet and
 * `podman generate systemd --new` write it. Undefined for anything else (a shell line, `podman start`, `--rootfs`).
 */
export function findRunImage(argv: readonly string[]): string | undefined {
  if (argv[0]?.split('/').at(-1) !== 'podman') return undefined;
  const global = skipOptions(argv, 1, GLOBAL_SWITCHES, GLOBAL_SHORT_SWITCHES);
  const verb = argv[global] === 'container' ? global + 1 : global;
  if (argv[verb] !== 'run') return undefined;
  const first = skipOptions(argv, verb + 1, RUN_SWITCHES, RUN_SHORT_SWITCHES);
  if (argv.slice(verb + 1, first).some((word) => word.startsWith('--rootfs'))) return undefined;
  return argv[first];
}

/** Whether a start command asks the registry each time: `--pull=always` or `newer`, in either spelling. */
export function pullsAtEachStart(argv: readonly string[]): boolean {
  const image = findRunImage(argv);
  const options = image === undefined ? [] : argv.slice(0, argv.lastIndexOf(image));
  return options.some((word, at) => {
    const value = word === '--pull' ? options[at + 1] : /^--pull=(.*)$/.exec(word)?.[1];
    return value === 'always' || value === 'newer';
  });
}

/** Whether podman's own timer may update the container: `--label io.containers.autoupdate=registry` (or `image`). */
export function isAutoUpdated(argv: readonly string[]): boolean {
  const label = /^(?:--label=)?io\.containers\.autoupdate=(?:registry|image)$/;
  return findRunImage(argv) !== undefined && argv.some((word) => label.test(word));
}

/** Whether the container is made in a pod: `--pod NAME`, `--pod-id-file FILE`, in either spelling. */
export function isInPod(argv: readonly string[]): boolean {
  const image = findRunImage(argv);
  const options = image === undefined ? [] : argv.slice(0, argv.lastIndexOf(image));
  return options.some((word) => /^--pod(?:-id-file)?(?:=|$)/.test(word));
}

/** What a start command makes several containers with: `podman kube play`, `podman play kube` or `podman compose`. */
export function findKubePlay(argv: readonly string[]): string | undefined {
  if (argv[0]?.split('/').at(-1) !== 'podman') return undefined;
  const at = skipOptions(argv, 1, GLOBAL_SWITCHES, GLOBAL_SHORT_SWITCHES);
  const words = argv.slice(at, at + 2).join(' ');
  if (words === 'kube play' || words === 'play kube') return `podman ${words}`;
  return argv[at] === 'compose' ? 'podman compose' : undefined;
}

/** The container that a start command starts and has not made: `podman start [OPTIONS] NAME`. */
export function findStarted(argv: readonly string[]): string | undefined {
  if (argv[0]?.split('/').at(-1) !== 'podman') return undefined;
  const global = skipOptions(argv, 1, GLOBAL_SWITCHES, GLOBAL_SHORT_SWITCHES);
  const verb = argv[global] === 'container' ? global + 1 : global;
  const names = argv.slice(verb + 1);
  // More than one, or those that a filter finds, are no container of this unit.
  return argv[verb] === 'start' && !names.includes('--all') && !names.includes('--filter')
    ? names.findLast((word) => !word.startsWith('-'))
    : undefined;
}

/** Index of the first word that is neither an option nor the value of one. */
function skipOptions(
  argv: readonly string[],
  start: number,
  switches: ReadonlySet<string>,
  shortSwitches: ReadonlySet<string>,
): number {
  let at = start;
  for (let word = argv[at]; word?.startsWith('-') && word !== '-'; word = argv[at]) {
    if (word === '--') return at + 1;
    at += takesNextWord(word, switches, shortSwitches) ? 2 : 1;
  }
  return at;
}

function takesNextWord(
  word: string,
  switches: ReadonlySet<string>,
  shortSwitches: ReadonlySet<string>,
): boolean {
  if (word.startsWith('--')) return !word.includes('=') && !switches.has(word);
  // A cluster such as `-dit` or `-de K=V`: the first letter that takes a value has it attached or next.
  const letters = [...word.slice(1)];
  const valued = letters.findIndex((letter) => !shortSwitches.has(letter));
  return valued >= 0 && valued === letters.length - 1;
}
