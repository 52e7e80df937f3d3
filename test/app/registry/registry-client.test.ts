import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { openRegistryClient } from '../../../app/registry/registry-client.ts';
import { parseRegistryRules } from '../../../app/registry/registry-rules.ts';
import type { Command, CommandResult } from '../../../shared/process/run-command.ts';
import {
  type LoopbackRegistry,
  makeIndex,
  makeManifest,
  type RegistryOptions,
  startLoopbackRegistry,
} from '../../helpers/loopback-registry.ts';

const IMAGE = makeManifest('one');
const LOGIN = { username: 'robot', password: 'zgeheim' };

type Options = {
  readonly registry?: RegistryOptions;
  readonly authFile?: string;
  readonly helper?: (command: Command) => Partial<CommandResult>;
  readonly timeoutMs?: number;
  readonly forward?: () => Promise<string>;
};

async function open(t: TestContext, options: Options = {}) {
  const registry = await startLoopbackRegistry(options.registry);
  const reads: string[] = [];
  const helped: Command[] = [];
  const heard: number[] = [];
  const client = openRegistryClient({
    registries: parseRegistryRules({ [registry.host]: { Insecure: true } }),
    authFiles: ['/first.json', '/second.json'],
    readers: {
      readText: (path) => {
        reads.push(path);
        const text = options.authFile?.replaceAll('HOST', registry.host);
        if (path === '/second.json' && text !== undefined) return Promise.resolve(text);
        return Promise.reject(Object.assign(new Error('none'), { code: 'ENOENT' }));
      },
      run: (command) => {
        helped.push(command);
        return Promise.resolve({
          ...{ argv: command.argv, end: { kind: 'exited', code: 0 }, durationMs: 1 },
          ...{ stdout: '', stderr: '', stdoutDropped: 0, stderrDropped: 0 },
          ...options.helper?.(command),
        });
      },
    },
    timeoutMs: options.timeoutMs ?? 10_000,
    ...(options.forward && { forward: options.forward }),
    userAgent: 'podup-test/1',
    signal: new AbortController().signal,
    retryPauseMs: 1,
    onAnswer: (_host, { status }) => heard.push(status),
  });
  t.after(async () => {
    await client.close();
    registry.close();
  });
  const image = (repository: string, tag = '1') => ({ registry: registry.host, repository, tag });
  return { client, registry, image, reads, helped, heard };
}

const count = ({ asked }: LoopbackRegistry, start: string) =>
  asked.filter((one) => one.startsWith(start)).length;

describe('a client', () => {
  test('asks a tag of a registry that wants tokens with one HEAD', async (t) => {
    const { client, registry, image, heard } = await open(t, { registry: { login: LOGIN } });
    for (const name of ['a', 'b'])
      registry.manifests.set(`${name}:1`, IMAGE).set(`${name}:2`, IMAGE);
    const looked = await Promise.all(
      ['a', 'b'].flatMap((name) => [client.lookUp(image(name)), client.lookUp(image(name, '2'))]),
    );
    assert.ok(looked.every((found) => found.ok && found.value.digest === IMAGE.digest));
    assert.ok(looked.every((found) => found.ok && !found.value.authenticated));
    assert.deepEqual([count(registry, 'HEAD '), count(registry, 'GET /token')], [4, 2]);
    assert.deepEqual(heard.toSorted(), [200, 200, 200, 200, 200, 200, 401]);
  });

  test('reads each credentials file once, and logs in with what it finds', async (t) => {
    const auth = Buffer.from(`${LOGIN.username}:${LOGIN.password}`).toString('base64');
    const authFile = JSON.stringify({ auths: { 'HOST/private': { auth } } });
    const { client, registry, image, reads } = await open(t, {
      registry: { login: LOGIN },
      authFile,
    });
    registry.manifests.set('private/a:1', IMAGE).set('private/b:1', IMAGE).set('open:1', IMAGE);
    for (const name of ['private/a', 'private/b']) {
      const found = await client.lookUp(image(name));
      assert.ok(found.ok, JSON.stringify(found));
      assert.deepEqual([found.value.authenticated, found.value.authFile], [true, '/second.json']);
    }
    const open_ = await client.lookUp(image('open'));
    assert.equal(open_.ok && open_.value.authenticated, false);
    assert.deepEqual(reads, ['/first.json', '/second.json']);
  });

  test('asks a credential helper once', async (t) => {
    const answer = { Username: LOGIN.username, Secret: LOGIN.password };
    const { client, registry, image, helped } = await open(t, {
      registry: { login: LOGIN },
      authFile: JSON.stringify({ credHelpers: { HOST: 'vault' } }),
      helper: () => ({ stdout: JSON.stringify(answer) }),
    });
    registry.manifests.set('private/a:1', IMAGE).set('private/b:1', IMAGE);
    assert.ok((await client.lookUp(image('private/a'))).ok);
    assert.ok((await client.lookUp(image('private/b'))).ok);
    assert.deepEqual(
      helped.map(({ argv, input }) => [...argv, input]),
      [['docker-credential-vault', 'get', registry.host]],
    );
  });

  test('is refused what is private without a login', async (t) => {
    const { client, registry, image } = await open(t, { registry: { login: LOGIN } });
    registry.manifests.set('private/a:1', IMAGE);
    const found = await client.lookUp(image('private/a'));
    assert.equal(!found.ok && found.failure.code, 'REGISTRY_UNAUTHORIZED');
    assert.equal(count(registry, 'HEAD '), 0);
  });

  test('fetches a new token for one that is refused too early', async (t) => {
    const { client, registry, image } = await open(t, { registry: { login: LOGIN } });
    registry.manifests.set('a:1', IMAGE);
    assert.ok((await client.lookUp(image('a'))).ok);
    let isOld = true;
    registry.intercept = (request, response) => {
      if (!isOld || request.method !== 'HEAD') return false;
      isOld = false;
      const realm = `Bearer realm="http://${registry.host}/token",service="loopback"`;
      response.writeHead(401, { 'www-authenticate': realm }).end();
      return true;
    };
    assert.ok((await client.lookUp(image('a'))).ok);
    assert.deepEqual([count(registry, 'HEAD '), count(registry, 'GET /token')], [3, 2]);
  });

  test('gives one question up and asks the next one', async (t) => {
    const { client, registry, image } = await open(t, { timeoutMs: 300 });
    registry.manifests.set('a:1', IMAGE).set('b:1', IMAGE);
    registry.intercept = (request) => request.url?.includes('/a/') ?? false;
    const found = await client.lookUp(image('a'));
    assert.equal(!found.ok && found.failure.code, 'REGISTRY_TIMEOUT');
    assert.ok((await client.lookUp(image('b'))).ok);
  });

  test('gives up a question whose connection never opens', async (t) => {
    const forward = () => new Promise<string>(() => undefined);
    const { client, image } = await open(t, { timeoutMs: 300, forward });
    const found = await client.lookUp(image('a'));
    assert.equal(!found.ok && found.failure.code, 'REGISTRY_TIMEOUT');
  });

  test('shows a public image behind a door that wants a password', async (t) => {
    const { client, registry, image } = await open(t);
    registry.manifests.set('a:1', IMAGE);
    registry.intercept = (request, response) => {
      if (request.url !== '/v2/') return false;
      response.writeHead(401, { 'www-authenticate': 'Basic realm="door"' }).end();
      return true;
    };
    assert.ok((await client.lookUp(image('a'))).ok);
  });

  test('looks at the door again after a failure', async (t) => {
    const { client, registry, image } = await open(t);
    registry.manifests.set('a:1', IMAGE);
    registry.intercept = (request) => {
      request.socket.destroy();
      return true;
    };
    const found = await client.lookUp(image('a'));
    assert.equal(!found.ok && found.failure.code, 'REGISTRY_UNREACHABLE');
    registry.intercept = undefined;
    assert.ok((await client.lookUp(image('a'))).ok);
  });
});

describe('an index', () => {
  test('is read by its digest, and refused where its bytes are others', async (t) => {
    const { client, registry, image } = await open(t);
    const index = makeIndex({ 'linux/amd64': IMAGE, 'linux/arm64': makeManifest('two') });
    registry.manifests.set(`a@${index.digest}`, index);
    const read = await client.readIndex(image('a'), index.digest);
    assert.deepEqual(read.ok && read.value[0], { digest: IMAGE.digest, platform: 'linux/amd64' });
    registry.manifests.set(`a@${index.digest}`, makeIndex({ 'linux/amd64': IMAGE }));
    const other = await client.readIndex(image('a'), index.digest);
    assert.match(other.ok ? '' : other.failure.detail, / sent something else than sha256:/);
    const plain = await client.readIndex(image('a'), IMAGE.digest);
    assert.equal(!plain.ok && plain.failure.code, 'REGISTRY_IMAGE_NOT_FOUND');
  });
});

describe('a list of tags', () => {
  test('is read page after page, with the token of the first', async (t) => {
    const { client, registry, image } = await open(t, { registry: { login: LOGIN } });
    const tags = Array.from({ length: 2_500 }, (_, at) => `t${String(at).padStart(4, '0')}`);
    for (const tag of tags) registry.manifests.set(`a:${tag}`, IMAGE);
    const listed = await client.listTags(image('a'));
    assert.deepEqual(listed.ok && listed.value, { tags, isCut: false });
    assert.equal(count(registry, 'GET /v2/a/tags/list'), 3);
  });

  test('ends after twenty pages, and says so', async (t) => {
    const { client, registry, image } = await open(t);
    registry.intercept = (request, response) => {
      if (request.url === '/v2/') return false;
      const link = '</v2/a/tags/list?last=again>; rel="next"';
      response.writeHead(200, { link, 'content-type': 'application/json' });
      response.end(JSON.stringify({ tags: ['1', 'not a tag'] }));
      return true;
    };
    const listed = await client.listTags(image('a'));
    assert.deepEqual(listed.ok && [listed.value.tags.length, listed.value.isCut], [20, true]);
  });

  test('that goes on at another host is refused, and that host is not asked', async (t) => {
    const { client, registry, image } = await open(t);
    registry.intercept = (request, response) => {
      if (request.url === '/v2/') return false;
      const link = '<http://127.0.0.2:1/v2/a/tags/list?last=x>; rel="next"';
      response.writeHead(200, { link, 'content-type': 'application/json' });
      response.end(JSON.stringify({ tags: ['1'] }));
      return true;
    };
    const listed = await client.listTags(image('a'));
    assert.equal(!listed.ok && listed.failure.code, 'REGISTRY_RESPONSE_INVALID');
  });

  test('without tags is one', async (t) => {
    const { client, registry, image } = await open(t);
    registry.intercept = (request, response) => {
      if (request.url === '/v2/') return false;
      response.end(JSON.stringify({ name: 'a', tags: null }));
      return true;
    };
    const listed = await client.listTags(image('a'));
    assert.deepEqual(listed.ok && listed.value, { tags: [], isCut: false });
  });
});
