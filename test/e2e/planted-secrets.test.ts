import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text as readText } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { pushImage, startUnit } from '../helpers/lab.ts';
import { untilServed } from '../helpers/lab-units.ts';
import { Plants, readProcesses, readTree, type SeenProcess } from '../helpers/planted.ts';
import {
  type Asked,
  Client,
  giveSettings,
  startEcho,
  wrapPrograms,
} from '../helpers/planted-world.ts';
import { type PrivateRegistry, startPrivateRegistry } from '../helpers/private-registry.ts';
import { PROGRAM_FILE, Product } from '../helpers/product.ts';
import { makeBody, makeHeaders } from '../helpers/webhook.ts';

const CONFIG = `${process.env['HOME']}/.config/containers`;

let registry: PrivateRegistry;
const registryPlants = new Plants();
const password = registryPlants.plant('the password of the registry');

before(async () => {
  mkdirSync(CONFIG, { recursive: true });
  registry = await startPrivateRegistry(password);
  writeFileSync(
    `${CONFIG}/registries.conf`,
    `[[registry]]\nlocation = "${registry.host}"\ninsecure = true\n`,
  );
});
after(() => registry.stop());

for (const [at, way] of (
  ['the environment', 'files', 'credentials of systemd'] as const
).entries()) {
  describe(`secrets that are given by ${way}`, () => {
    const folder = `/tmp/planted-${at}`;
    const plants = new Plants();
    plants.all.push(...registryPlants.all);
    const seen: SeenProcess[] = [];
    let product: Product;
    let client: Client;
    let echo: Awaited<ReturnType<typeof startEcho>>;
    let values: Readonly<Record<string, string>>;
    let journal = '';
    const printed: { readonly what: string; readonly text: string }[] = [];
    const name = `kept${at}`;
    const port = 8081 + at;
    const proxy = plants.plant('the password of the proxy');
    const unitSecret = plants.plant('a variable of the container');

    before(async () => {
      echo = await startEcho();
      const given = giveSettings(way, folder, plants);
      values = given.values;
      writeFileSync(`${CONFIG}/auth.json`, registry.authFile(password));
      pushImage(`${name}:stable`, 'v1');
      const image = `${registry.host}/${name}:stable`;
      startUnit(name, image, port, '--env', `DB_PASSWORD=${unitSecret}`);
      await untilServed(port, 'v1');
      product = await Product.start({
        ...given.environment,
        PATH: `${wrapPrograms(folder)}:${process.env['PATH']}`,
        PODUP_MANUAL_UNITS: name,
        PODUP_LOG_LEVEL: 'trace',
        PODUP_RELEASE_REPOSITORY: 'someone/something',
        PODUP_RELEASE_API_URL: echo.url,
        PODUP_GITHUB_API_URL: echo.url,
        PODUP_GITHUB_HOOKS: 'someone/something/5',
        // Once, after the start.
        PODUP_MISSED_DELIVERIES_CRON: '0 0 1 1 *',
        CONTAINERS_REGISTRIES_CONF: `${CONFIG}/registries.conf`,
        HTTPS_PROXY: `http://robot:${proxy}@127.0.0.1:9`,
        NO_PROXY: '127.0.0.1,localhost',
      });
      client = new Client(product.address);
      await product.logged(({ msg }) => msg === 'task ended');
    });
    after(async () => {
      await product?.[Symbol.asyncDispose]();
      echo?.close();
      rmSync(folder, { recursive: true, force: true });
    });

    const bearer = () => ({ authorization: `Bearer ${values['PODUP_TOKEN']}` });
    const json = { 'content-type': 'application/json' };

    async function push(version: string, options: readonly string[] = [], secret?: string) {
      const pushed = { ...pushImage(`${name}:stable`, version, ...options) };
      const sample = makeBody('registry_package', {
        ...pushed,
        repository: `${registry.host}/${name}`,
      });
      const extra = { client_payload: { password: plants.plant(`the body of ${version}`) } };
      const body = JSON.stringify({ ...JSON.parse(sample), ...extra });
      const key = secret ?? values['PODUP_GH_WEBHOOK_SECRET'] ?? '';
      const signature = `sha256=${createHmac('sha256', key).update(body).digest('hex')}`;
      const headers = {
        ...makeHeaders('registry_package', body),
        'x-hub-signature-256': signature,
        cookie: `session=${plants.plant('a cookie of a delivery')}`,
        'x-api-key': plants.plant('a header of a delivery'),
      };
      const path = `/github-package-update/${name}?key=${plants.plant('the query of a delivery')}`;
      return client.ask({ method: 'POST', path, headers, body });
    }

    /** Looks at the processes again and again until a task has ended. */
    async function deploy(version: string, options: readonly string[] = []) {
      const mark = product.lines.length;
      assert.equal((await push(version, options)).status, 202);
      let hasEnded = false;
      const ended = product
        .logged(({ msg }) => msg === 'task ended', mark)
        .finally(() => {
          hasEnded = true;
        });
      while (!hasEnded) {
        seen.push(...readProcesses());
        await new Promise((resolve) => setImmediate(resolve));
      }
      const { task } = await ended;
      const { text } = await client.ask({ path: `/api/tasks/${task}`, headers: bearer() });
      return JSON.parse(text) as { status: string; error: { code: string } | null };
    }

    test('the program works with them', async () => {
      assert.equal((await deploy('v2')).status, 'succeeded');
      assert.equal((await client.ask({ path: '/api/tasks', headers: bearer() })).status, 200);
      const failed = await deploy('v3', ['--broken']);
      assert.match(String(failed.error?.code), /^GATE_/);
      const wrong = plants.plant('a wrong password of the registry');
      writeFileSync(`${CONFIG}/auth.json`, registry.authFile(wrong));
      assert.equal((await deploy('v4')).error?.code, 'REGISTRY_UNAUTHORIZED');
      await client.ask({ path: '/api/version/check', headers: bearer() });
    });

    test('GitHub was asked with its token, and said it back', async () => {
      const path = '/repos/someone/something/hooks/5/deliveries?per_page=100';
      const authorization = `Bearer ${values['PODUP_GITHUB_TOKEN']}`;
      await product.logged(({ msg }) => msg.includes('GITHUB_TOKEN_REFUSED'));
      assert.deepEqual(
        echo.asked.filter((one) => one.path === path),
        [{ path, authorization }],
      );
      const { text } = await client.ask({
        path: '/api/events?action=github-not-asked',
        headers: bearer(),
      });
      assert.match(text, /GITHUB_TOKEN_REFUSED/);
    });

    test('what is sent and refused was sent and refused', async () => {
      const refuses = async (status: number, asked: Asked) => {
        const answer = await client.ask(asked);
        assert.equal(answer.status, status, `${asked.method} ${asked.path}: ${answer.text}`);
      };
      const plant = (what: string) => plants.plant(what);
      const path = '/api/tasks';
      await refuses(401, { path, headers: { authorization: `Bearer ${plant('a wrong token')}` } });
      await refuses(401, { path, headers: { authorization: `Basic ${plant('a login')}` } });
      await refuses(401, { path, headers: { cookie: `podup_session=${plant('a cookie')}` } });
      await refuses(401, { path: `${path}?token=${plant('a token in a query')}` });
      await refuses(400, { path: `${path}?password=${plant('a query')}`, headers: bearer() });
      await refuses(404, { path: `/nowhere?secret=${plant('a query of nothing')}` });
      await refuses(404, { path: `http://me:${plant('the user of a URL')}@127.0.0.1/nowhere` });
      await refuses(401, { path: `http://me:${plant('the user of a good URL')}@127.0.0.1${path}` });
      const post = { method: 'POST', path, headers: { ...bearer(), ...json } };
      await refuses(400, { ...post, body: `{"unit":"${name}","token":"${plant('a field')}"}` });
      await refuses(400, { ...post, body: `{"unit":"${name}","${plant('a broken body')}` });
      await refuses(415, {
        ...post,
        headers: { ...bearer(), 'content-type': 'text/plain' },
        body: plant('a body of another type'),
      });
      const body = JSON.stringify({ token: plant('a token in a body'), dry_run: true });
      await refuses(401, { method: 'POST', path: '/auto-update', headers: json, body });
      const query = `/auto-update?token=${plant('a token in the query of the old route')}`;
      await refuses(401, { method: 'POST', path: query });
      const good = JSON.stringify({ token: values['PODUP_TOKEN'], all: true, dry_run: true });
      await client.ask({ method: 'POST', path: '/api/manual/trigger', headers: json, body: good });
      assert.equal((await push('v5', [], plant('a wrong secret of the webhook'))).status, 401);
    });

    test('credentials of its own were made, used and refused', async () => {
      const make = async (path: string, body: object) => {
        const { status, text } = await client.ask({
          ...{ method: 'POST', path, body: JSON.stringify(body) },
          headers: { ...bearer(), ...json, 'x-podup-csrf': '1' },
        });
        assert.equal(status, 201, text);
        // It is shown this once.
        client.answers.pop();
        return JSON.parse(text);
      };
      const token = await make('/api/tokens', { name: 'ci', scopes: ['read'] });
      plants.add('a token', token.token);
      const asToken = { authorization: `Bearer ${token.token}` };
      assert.equal((await client.ask({ path: '/api/tasks', headers: asToken })).status, 200);
      const post = { method: 'POST', path: '/api/tasks', body: JSON.stringify({ unit: name }) };
      const refused = await client.ask({ ...post, headers: { ...asToken, ...json } });
      assert.equal(refused.status, 403, refused.text);
      const body = JSON.stringify({ password: plants.plant('the body of a hook') });
      for (const [source, scheme] of [
        ['docker-hub', 'path-secret'],
        ['distribution', 'authorization'],
        ['github', 'hmac-sha256'],
      ] as const) {
        const registries = source === 'distribution' ? { registry: registry.host } : {};
        const made = await make('/api/hooks', { name: source, source, scheme, ...registries });
        const good = plants.add(`the secret of ${source}`, made.secret.text);
        const bad = plants.plant(`a wrong secret of ${source}`);
        for (const secret of [good, bad]) {
          const end = scheme === 'path-secret' ? `/${secret}` : '';
          const mac = createHmac('sha256', secret).update(body).digest('hex');
          const answer = await client.ask({
            ...{ method: 'POST', path: `/hooks/${source}${end}`, body },
            headers: {
              ...json,
              ...{ 'x-github-event': 'package', 'x-github-delivery': `${source}-${secret.length}` },
              ...(scheme === 'authorization' && { authorization: `Bearer ${secret}` }),
              ...(scheme === 'hmac-sha256' && { 'x-hub-signature-256': `sha256=${mac}` }),
            },
          });
          assert.equal(answer.status < 300, secret === good, `${source}: ${answer.text}`);
        }
      }
    });

    test('everything that is shown was shown', async () => {
      const { text } = await client.ask({ path: '/openapi.json' });
      const { paths } = JSON.parse(text) as { paths: Record<string, Record<string, unknown>> };
      const plain = Object.entries(paths)
        .filter(([path, methods]) => 'get' in methods && !/\{|^\/sse/.test(path))
        .map(([path]) => path);
      assert.ok(plain.length > 15, plain.join(' '));
      for (const path of plain) await client.ask({ path, headers: bearer() });
      const { text: list } = await client.ask({ path: '/api/tasks', headers: bearer() });
      const { tasks } = JSON.parse(list) as { tasks: { task_id: string }[] };
      for (const { task_id } of tasks) {
        await client.ask({ path: `/api/tasks/${task_id}/export`, headers: bearer() });
      }
      for (const format of ['csv', 'jsonl']) {
        const path = `/api/events/export?format=${format}`;
        await client.ask({ path, headers: bearer() });
      }
      const environment = { ...process.env, PODUP_STATE_DIR: product.stateDir };
      for (const words of ['backup create', 'config show', 'doctor', 'hooks list', 'units list']) {
        const child = spawn(process.execPath, [PROGRAM_FILE, ...words.split(' ')], {
          env: {
            ...environment,
            ...Object.fromEntries(Object.entries(values)),
            PODUP_RELEASE_API_URL: echo.url,
          },
        });
        const texts = await Promise.all([readText(child.stdout), readText(child.stderr)]);
        printed.push({ what: words, text: texts.join('\n') });
      }
      assert.ok(printed.every(({ text: shown }) => shown !== ''));
    });

    test('none is in the log, nor in the journal of the user', () => {
      journal = execFileSync('journalctl', ['--user', '--no-pager', '-o', 'export'], {
        encoding: 'latin1',
        maxBuffer: 256 * 1024 * 1024,
      });
      assert.deepEqual(plants.find(product.output), []);
      // What a unit has in its own command line its own podman says.
      const isOfUnit = 'a variable of the container';
      assert.deepEqual(
        plants.find(journal).filter((one) => one !== isOfUnit),
        [],
      );
    });

    test('none is in an answer, an export or what a command prints', () => {
      const found = [...client.answers, ...printed].flatMap(({ what, text }) =>
        plants.find(text).map((one) => `${one}: ${what}`),
      );
      assert.deepEqual(
        found.filter(
          (one) => !/^the body of (?:v5|a hook): GET \/last_payload\.bin 200$/.test(one),
        ),
        [],
      );
    });

    test('none is in a file of the state, but in the body that is kept for a person', () => {
      const found = readTree(product.stateDir).flatMap(({ path, bytes }) =>
        plants.find(bytes).map((one) => `${one}: ${path}`),
      );
      // A signed body until it is taken over, and the last one whose signature did not fit; docs/security.md says so.
      const isKept = (one: string) =>
        /^the body of (?:v[234]|a hook): (?:intake\/.+\.spool|data\/.+)$/.test(one);
      assert.deepEqual(
        found.filter((one) => !isKept(one) && !one.endsWith(': last_payload.bin')),
        [],
      );
    });

    test('none is in the arguments of a process, but of a unit its own', () => {
      const isOurs = ({ command: words }: { command: string }) => words.includes(PROGRAM_FILE);
      const ours = [...seen, ...readProcesses()].filter(isOurs).map((one) => one.command);
      const called = readTree(join(folder, 'seen'))
        .filter(({ path }) => path.endsWith('.command'))
        .map(({ bytes }) => bytes.toString());
      assert.ok(ours.some((words) => words.includes('run-task')));
      for (const program of ['podman', 'systemd-run']) {
        assert.ok(
          called.some((words) => words.startsWith(program)),
          program,
        );
      }
      const found = [...ours, ...called].filter((words) => plants.find(words).length > 0);
      assert.deepEqual(found, []);
    });

    test('none is in the environment of a process that does not need it', () => {
      const wrapped = readTree(join(folder, 'seen'));
      const called = wrapped
        .filter(({ path }) => path.endsWith('.environ'))
        .map(({ path, bytes }) => {
          const said = readFileSync(join(folder, 'seen', path.replace('environ', 'command')));
          return { command: said.toString(), environment: bytes };
        });
      const ours = [...seen, ...readProcesses()].filter(({ command: words }) =>
        words.includes(PROGRAM_FILE),
      );
      const found = [...called, ...ours].flatMap(({ command: words, environment }) =>
        plants
          .find(environment)
          .filter((one) => !needs(words, one))
          .map((one) => `${one}: ${words.slice(0, 200)}`),
      );
      assert.deepEqual([...new Set(found)], []);
    });

    /** Who has to know what. */
    function needs(words: string, one: string): boolean {
      // Whoever asks a registry goes through the proxy of the host.
      if (one === 'the password of the proxy') return true;
      // The supervisor was given them by whoever started it; worker and standby check credentials.
      return (
        one.endsWith('in the environment') && /\.mjs (?:supervise|http-server|intake)\b/.test(words)
      );
    }
  });
}
