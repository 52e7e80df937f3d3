import { writeFileSync } from 'node:fs';
import { command } from './lab.ts';
import { PATIENCE_MS } from './product.ts';
import { until } from './until.ts';

/** The registry of the lab once more, over the same storage, with a password in front. */
export type PrivateRegistry = {
  readonly host: string;
  /** What `podman login` writes for it. */
  authFile(password: string): string;
  stop(): void;
};

const HOST = '127.0.0.1:5001';
const USER = 'robot';

/** Starts it; who has no password is asked for one. */
export async function startPrivateRegistry(password: string): Promise<PrivateRegistry> {
  const hash = command(
    'perl',
    '-e',
    `print crypt("${password}", q($2y$05$abcdefghijklmnopqrstuu))`,
  );
  writeFileSync('/tmp/htpasswd', `${USER}:${hash}\n`);
  writeFileSync(
    '/tmp/private-registry.yml',
    `version: 0.1
storage: {filesystem: {rootdirectory: /run/lab/registry}}
http: {addr: "${HOST}", secret: lab}
auth: {htpasswd: {realm: lab, path: /tmp/htpasswd}}
`,
  );
  command(
    'systemd-run',
    '--user',
    '--quiet',
    '--unit=private-registry',
    '--setenv=OTEL_TRACES_EXPORTER=none',
    '/usr/bin/docker-registry',
    'serve',
    '/tmp/private-registry.yml',
  );
  await until('the registry asks for a password', PATIENCE_MS, async () => {
    const answer = await fetch(`http://${HOST}/v2/`).catch(() => undefined);
    return answer?.status === 401;
  });
  return {
    host: HOST,
    authFile(given) {
      const auth = Buffer.from(`${USER}:${given}`).toString('base64');
      return JSON.stringify({ auths: { [HOST]: { auth } } });
    },
    stop: () => void command('systemctl', '--user', 'stop', 'private-registry'),
  };
}
