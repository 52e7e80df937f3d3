import { parseSshTarget } from '../contract/ssh-target.ts';
import { milliseconds, type Setting } from './setting.ts';
import { absolutePath, parsed } from './setting-values.ts';

/** Where the units are deployed, if that is another host. */
export const SSH_SETTINGS = {
  sshTarget: {
    variable: 'PODUP_SSH_TARGET',
    schema: parsed((raw) => (parseSshTarget(raw) ? raw : undefined)),
    allowed: 'HOST, USER@HOST or ssh://USER@HOST:PORT',
    about:
      'The host whose units are deployed, over SSH with the keys and known hosts of this user. Unset: this host. See docs/deployments.md.',
  },
  sshConfigFile: {
    variable: 'PODUP_SSH_CONFIG',
    schema: absolutePath,
    allowed: 'an absolute path',
    about: 'A configuration of the SSH client, ssh_config(5), in place of that of the user.',
  },
  sshConnectTimeoutMs: milliseconds(
    'PODUP_SSH_CONNECT_TIMEOUT_MS',
    { fallback: 15_000, min: 1_000, max: 300_000 },
    'How long a login over SSH may take.',
  ),
} as const satisfies Record<string, Setting<unknown>>;
