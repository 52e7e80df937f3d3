import assert from 'node:assert/strict';
import { openSshHost, type SshHost, type SshHostOptions } from '../../app/host/ssh/ssh-host.ts';
import { type SshHostLab, startSshHost } from './ssh-host.ts';

const CONNECT_TIMEOUT_MS = 20_000;

/** Opens a second host as the program does. */
export function openHost(lab: SshHostLab, options: Partial<SshHostOptions> = {}): SshHost {
  const opened = openSshHost({
    target: lab.target,
    controlDir: lab.controlDir,
    options: ['-F', lab.sshConfigFile],
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
    ...options,
  });
  assert.ok(opened.ok, JSON.stringify(opened));
  return opened.value;
}

/** A second host and its client for a test file. */
export async function startHost(): Promise<{
  lab: SshHostLab;
  host: SshHost;
  close: () => Promise<void>;
}> {
  const lab = await startSshHost();
  const host = openHost(lab);
  return {
    lab,
    host,
    close: async () => {
      await host.close();
      await lab.close();
    },
  };
}
