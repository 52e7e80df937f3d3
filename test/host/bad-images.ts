import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { command, pushImage } from '../helpers/lab.ts';
import { makeLooseFolder } from '../helpers/loose-folder.ts';
import type { Push } from '../helpers/webhook.ts';

/** One way in which an image can be bad. */
export type BadImage = {
  readonly what: string;
  /** Options of `lab/image`, or a script that the container runs instead of the server. */
  readonly options?: readonly string[];
  readonly entry?: string;
  /** Options of `lab/unit`. */
  readonly unit?: readonly string[];
  /** The lines of `[X-PodUp]` besides the soak time; `PORT` is the port of the unit. */
  readonly policy?: readonly string[];
  /** What is done to the image once it is pushed. */
  readonly spoil?: (push: Push) => void;
  /** How a deployment of it has to fail. */
  readonly code: RegExp;
  /** Tried for every change, not only in the long run. */
  readonly isQuick?: boolean;
  /** What the unit takes at most beside its soak time: to start, to be judged unhealthy, to stop. */
  readonly unitMs?: number;
};

const SERVE = 'httpd -p 8080 -h /www; echo serving';
const TRAP = `trap 'exit 0' TERM INT`;
const WAIT = 'sleep 600 & wait $!';

/** All but its health check fails. */
const ANSWER = `cat > /answer << 'EOF'
#!/bin/sh
read -r _ path _
while read -r line && [ \${#line} -gt 1 ]; do :; done
case $path in
  /healthz*) printf 'HTTP/1.0 200 OK\\r\\nConnection: close\\r\\n\\r\\nok\\n' ;;
  *) printf 'HTTP/1.0 500 Internal Server Error\\r\\nConnection: close\\r\\n\\r\\nno\\n' ;;
esac
EOF
busybox chmod 755 /answer`;

/** The soak time of the units that get them. */
export const SOAK_MS = 5_000;

/** Fourteen of them. */
export const BAD_IMAGES: readonly BadImage[] = [
  {
    what: 'exits at once',
    isQuick: true,
    options: ['--broken'],
    code: /^(GATE_UNIT_RESTARTED|GATE_UNIT_DOWN|RESTART_FAILED|CONTAINER_NOT_RUNNING)$/,
  },
  {
    what: 'exits after three seconds',
    entry: `${TRAP}; ${SERVE}; sleep 3 & wait $!; exit 1`,
    code: /^(GATE_UNIT_RESTARTED|GATE_UNIT_DOWN)$/,
  },
  {
    what: 'exits after half of the soak time, as if all were well',
    isQuick: true,
    entry: `${TRAP}; ${SERVE}; sleep ${SOAK_MS / 2000} & wait $!; exit 0`,
    code: /^(GATE_UNIT_RESTARTED|GATE_UNIT_DOWN)$/,
  },
  {
    what: 'is never READY',
    options: ['--unhealthy'],
    unit: ['--sdnotify', 'container', '--timeout', '4'],
    code: /^RESTART_FAILED$/,
    unitMs: 4_000,
  },
  {
    what: 'is never healthy',
    options: ['--unhealthy'],
    policy: ['StartTimeout=20'],
    code: /^GATE_UNHEALTHY$/,
    unitMs: 20_000,
  },
  {
    what: 'is healthy, then unhealthy within the soak time',
    options: ['--healthcheck'],
    entry: `${TRAP}; ${SERVE}; sleep 3 & wait $!; busybox rm /www/healthz; ${WAIT}`,
    policy: ['Soak=12'],
    code: /^GATE_UNHEALTHY$/,
    unitMs: 12_000,
  },
  {
    what: 'is healthy but answers its probe with 500',
    isQuick: true,
    options: ['--healthcheck'],
    entry: `${TRAP}; ${ANSWER}; nc -ll -p 8080 -e /answer & wait $!`,
    policy: ['Probe=http://127.0.0.1:PORT/', 'StartTimeout=5'],
    code: /^GATE_PROBE_FAILED$/,
  },
  {
    what: 'is for another architecture',
    options: ['--index', '--arch', 's390x'],
    code: /^PULL_FAILED$/,
  },
  {
    what: 'has an entry point that is not there',
    entry: '',
    code: /^(RESTART_FAILED|GATE_UNIT_RESTARTED|GATE_UNIT_DOWN)$/,
  },
  {
    what: 'has a layer that is corrupt at the registry',
    isQuick: true,
    spoil: spoilLayer,
    code: /^PULL_FAILED$/,
  },
  {
    what: 'finds its port taken',
    entry: `${TRAP}; ${SERVE}; sleep 1; httpd -f -p 8080 -h /www`,
    code: /^(GATE_UNIT_RESTARTED|GATE_UNIT_DOWN)$/,
  },
  {
    what: 'fills its disk',
    entry: `${TRAP}; ${SERVE}; busybox dd if=/dev/zero of=/dev/shm/full bs=1M || exit 1; ${WAIT}`,
    code: /^(GATE_UNIT_RESTARTED|GATE_UNIT_DOWN)$/,
  },
  {
    what: 'does not end when it is told to, and serves nothing',
    entry: `trap '' TERM INT; while :; do sleep 1; done`,
    policy: ['Probe=tcp:127.0.0.1:PORT', 'Probe=http://127.0.0.1:PORT/', 'StartTimeout=3'],
    code: /^GATE_PROBE_FAILED$/,
    // podman stop gives it ten seconds.
    unitMs: 10_000,
  },
  {
    what: 'logs what it must not',
    isQuick: true,
    entry: `${TRAP}; ${SERVE}; echo 'FATAL: no database'; ${WAIT}`,
    policy: ['LogMustNot=^FATAL'],
    code: /^GATE_LOG_FORBIDDEN$/,
  },
];

/** Pushes it under the tag `stable` of a name. */
export function pushBad(name: string, bad: BadImage): Push {
  const options = [...(bad.options ?? [])];
  if (bad.entry !== undefined) {
    const file = join(makeLooseFolder(), 'entry');
    const head = bad.entry === '' ? '#!/nowhere/sh' : '#!/bin/sh\necho "version v2: starting"';
    writeFileSync(file, `${head}\n${bad.entry}\n`, { mode: 0o755 });
    options.push('--entry', file);
  }
  const push = pushImage(`${name}:stable`, 'v2', ...options);
  bad.spoil?.(push);
  return push;
}

/** Changes bytes of the upper layer where the registry keeps it. */
function spoilLayer({ repository, digest }: Push): void {
  const [, root = ''] =
    /serve (.*)\/registry\.yml/.exec(command('systemctl', '--user', 'cat', 'lab-registry')) ?? [];
  const blob = (name: string) => {
    const hex = name.replace('sha256:', '');
    return `${root}/registry/docker/registry/v2/blobs/sha256/${hex.slice(0, 2)}/${hex}/data`;
  };
  const manifest = JSON.parse(readFileSync(blob(digest), 'utf8')) as {
    layers: readonly { digest: string }[];
  };
  const layer = manifest.layers.at(-1);
  if (!layer) throw new Error(`${repository} has no layers`);
  const bytes = readFileSync(blob(layer.digest));
  bytes.fill(0x55, Math.floor(bytes.length / 2));
  writeFileSync(blob(layer.digest), bytes);
}
