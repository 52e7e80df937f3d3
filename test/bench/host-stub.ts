import { mkdirSync, writeFileSync } from 'node:fs';
import { IMAGE } from './deliveries.ts';

const EXEC_START = [
  '/usr/bin/podman',
  ['/usr/bin/podman', 'run', '--rm', IMAGE],
  false,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
];
const UNIT_LINES = ['loaded', 'active', 'running', false];
const SERVICE_LINES = ['success', 1, [EXEC_START]];

/**
 * What a host with the unit answers, for a bench host has no such unit. `systemd-run` stands for a deployment that
 * takes longer than the bench: as on a real host, the first delivery has its task running in a transient unit, and
 * all that follow share the one pending task behind it.
 */
const PROGRAMS = {
  busctl: `case "$*" in
*systemd1.Unit*) cat <<'END'
${print(UNIT_LINES)}
END
;;
*) cat <<'END'
${print(SERVICE_LINES)}
END
;;
esac`,
  systemctl: 'echo running',
  podman: 'echo podman version 5.0.0',
  'systemd-run': 'exec sleep 900',
};

function print(values: readonly unknown[]): string {
  return values.map((data) => JSON.stringify({ data })).join('\n');
}

/** Writes the programs of the host that the worker calls into a folder for the front of its PATH. */
export function writeHostStub(folder: string): void {
  mkdirSync(folder);
  for (const [name, body] of Object.entries(PROGRAMS)) {
    writeFileSync(`${folder}/${name}`, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  }
}
