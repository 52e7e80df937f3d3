import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text as readText } from 'node:stream/consumers';
import { SETTINGS } from '../../shared/config/settings.ts';
import { command } from './lab.ts';
import type { Plants } from './planted.ts';

const WRAPPED = ['podman', 'systemctl', 'systemd-run', 'busctl', 'journalctl'];
/** Every setting that is a secret: one that is added is planted, too. */
const SECRET_SETTINGS = Object.values(SETTINGS)
  .filter((setting) => 'secret' in setting)
  .map(({ variable }) => variable);

/** Programs of the host in whose place stands one that first writes down how it was called. */
export function wrapPrograms(folder: string): string {
  const seen = join(folder, 'seen');
  const bin = join(folder, 'bin');
  for (const path of [seen, bin]) mkdirSync(path, { recursive: true });
  for (const name of WRAPPED) {
    const real = command('sh', '-c', `command -v ${name}`).trim();
    const file = join(bin, name);
    writeFileSync(
      file,
      `#!/bin/sh\ncp /proc/$$/environ '${seen}/'$$.environ\nprintf '%s ' ${name} "$@" > '${seen}/'$$.command\nexec ${real} "$@"\n`,
    );
    chmodSync(file, 0o755);
  }
  return bin;
}

/** A request. */
export type Asked = {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
};

/** The service as it is asked from outside, with everything that it has answered. */
export class Client {
  readonly #address: URL;
  readonly answers: { readonly what: string; readonly text: string }[] = [];

  constructor(address: string) {
    this.#address = new URL(`http://${address}`);
  }

  async ask({ method = 'GET', path, headers = {}, body }: Asked) {
    const { hostname: host, port } = this.#address;
    const sent = request({ host, port, method, path, headers, agent: false });
    sent.end(body);
    const [response] = await once(sent, 'response');
    const text = await readText(response);
    const { statusCode: status } = response;
    const head = JSON.stringify(response.headers);
    this.answers.push({ what: `${method} ${path} ${status}`, text: `${head}\n${text}` });
    return { status: Number(status), text };
  }
}

/** What stands for the API of GitHub and a server of releases: it says everything back that it was sent, wherever one can. */
export async function startEcho() {
  const asked: { readonly path: string; readonly authorization: string | undefined }[] = [];
  const server = createServer(({ headers: { authorization }, url: path = '' }, response) => {
    asked.push({ path, authorization });
    const message = `Bad credentials: ${authorization} for ${path}`;
    response.writeHead(401, message, {
      ...{ 'content-type': 'application/json', 'x-request': message },
      'www-authenticate': `Bearer realm="${message}"`,
    });
    response.end(JSON.stringify({ message }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { asked, url: `http://127.0.0.1:${port}`, close: () => server.close() };
}

/** How the secrets of the settings are given. */
export type Way = 'the environment' | 'files' | 'credentials of systemd';

/** The secrets of the settings, in the way that they are given. */
export function giveSettings(way: Way, folder: string, plants: Plants) {
  const values = Object.fromEntries(
    SECRET_SETTINGS.map((variable) => {
      const what = `${variable} in ${way}`;
      // A key is digits of a certain number.
      const isKey = variable === 'PODUP_HOOK_KEY';
      return [
        variable,
        isKey ? plants.add(what, randomBytes(32).toString('hex')) : plants.plant(what),
      ];
    }),
  );
  // Set by the tests otherwise; empty is unset.
  const unset = { PODUP_TOKEN: '', PODUP_GH_WEBHOOK_SECRET: '' };
  if (way === 'the environment') return { values, environment: values };
  const secrets = join(folder, 'secrets');
  mkdirSync(secrets, { recursive: true });
  for (const [name, value] of Object.entries(values)) {
    writeFileSync(join(secrets, name), `${value}\n`, { mode: 0o600 });
  }
  if (way !== 'files') {
    return { values, environment: { ...unset, CREDENTIALS_DIRECTORY: secrets } };
  }
  const files = SECRET_SETTINGS.map((name) => [`${name}_FILE`, join(secrets, name)]);
  return { values, environment: { ...unset, ...Object.fromEntries(files) } };
}
