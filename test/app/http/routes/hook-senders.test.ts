import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { sign } from '../http-fixture.ts';
import {
  bearer,
  DISTRIBUTION,
  GENERIC,
  GITEA,
  GITHUB,
  hmac,
  IMAGE,
  JFROG,
  PIPELINE,
  plain,
  standardHeaders,
  startHooks,
} from './hook-fixture.ts';

type Row = {
  readonly hook: Readonly<Record<string, unknown>>;
  readonly body: string;
  /** What the sender adds to the path, and its headers. */
  readonly path?: (secret: string) => string;
  readonly headers: (secret: string, body: string) => Readonly<Record<string, string>>;
};

const FORM = 'application/x-www-form-urlencoded';

function asForm(json: string): string {
  return new URLSearchParams({ payload: json }).toString();
}

/** Every kind of sender, by every way in which it can prove itself. */
const SENDERS: Readonly<Record<string, Row>> = {
  'GitHub, by its signature': {
    hook: { source: 'github' },
    body: GITHUB,
    headers: (secret, body) => ({
      ...{ 'x-github-event': 'package', 'x-github-delivery': 'guid-1' },
      'x-hub-signature-256': sign(body, secret),
    }),
  },
  'GitHub, by its signature, as a form': {
    hook: { source: 'github' },
    body: asForm(GITHUB),
    headers: (secret, body) => ({
      ...{ 'x-github-event': 'package', 'x-github-delivery': 'guid-1' },
      ...{ 'content-type': FORM, 'x-hub-signature-256': sign(body, secret) },
    }),
  },
  'Gitea, by its signature, as a form': {
    hook: { source: 'gitea', registry: 'ghcr.io' },
    body: asForm(GITEA),
    headers: (secret, body) => ({
      ...{ 'x-gitea-event': 'package', 'x-gitea-delivery': 'guid-1', 'content-type': FORM },
      'x-gitea-signature': hmac(secret, new URLSearchParams(body).get('payload') ?? ''),
    }),
  },
  'Gitea, by its signature': {
    hook: { source: 'gitea', registry: 'ghcr.io' },
    body: GITEA,
    headers: (secret, body) => ({
      ...{ 'x-gitea-event': 'package', 'x-gitea-delivery': 'guid-1' },
      'x-gitea-signature': hmac(secret, body),
    }),
  },
  'Forgejo, by its header Authorization': {
    hook: { source: 'gitea', registry: 'ghcr.io', scheme: 'authorization' },
    body: GITEA,
    headers: (secret) => ({
      ...{ 'x-forgejo-event': 'package', 'x-forgejo-delivery': 'guid-1' },
      authorization: secret,
    }),
  },
  'GitLab, by its token': {
    hook: { source: 'gitlab', scheme: 'shared-token', image: IMAGE },
    body: PIPELINE,
    headers: (secret) => ({ 'x-gitlab-event': 'Pipeline Hook', 'x-gitlab-token': secret }),
  },
  'GitLab, by Standard Webhooks': {
    hook: { source: 'gitlab', image: IMAGE },
    body: PIPELINE,
    headers: standardHeaders,
  },
  'a registry, by its header Authorization': {
    hook: { source: 'distribution', registry: 'ghcr.io' },
    body: DISTRIBUTION,
    headers: (secret) => ({
      'content-type': 'application/vnd.docker.distribution.events.v2+json',
      ...bearer(secret),
    }),
  },
  'a registry, by a password': {
    hook: { source: 'distribution', registry: 'ghcr.io' },
    body: DISTRIBUTION,
    headers: (secret) => ({
      authorization: `Basic ${Buffer.from(`podup:${secret}`).toString('base64')}`,
    }),
  },
  'a registry, by its URL': {
    hook: { source: 'distribution', registry: 'ghcr.io', scheme: 'path-secret' },
    body: DISTRIBUTION,
    path: (secret) => `/${secret}`,
    headers: () => ({}),
  },
  'JFrog, by its signature': {
    hook: { source: 'jfrog', registry: 'ghcr.io' },
    body: JFROG,
    headers: (secret, body) => ({ 'x-jfrog-event-auth': hmac(secret, body) }),
  },
  'JFrog, by its token': {
    hook: { source: 'jfrog', registry: 'ghcr.io', scheme: 'shared-token' },
    body: JFROG,
    headers: (secret) => ({ 'x-jfrog-event-auth': secret }),
  },
  'anything else, by Standard Webhooks': {
    hook: { source: 'generic' },
    body: GENERIC,
    headers: standardHeaders,
  },
};

for (const [name, { hook, body, path, headers }] of Object.entries(SENDERS)) {
  describe(`a hook for ${name}`, () => {
    const open = async (t: Parameters<typeof startHooks>[0]) => {
      const test = await startHooks(t);
      const secret = test.create({ name: 'forge', ...hook });
      const send = (used = secret, sent = body) =>
        test.post(`/hooks/forge${path?.(used) ?? ''}`, {
          headers: headers(used, sent),
          body: sent,
        });
      return { ...test, secret, send };
    };

    test('lets it in: each unit that runs the image has a task, and the hook says so', async (t) => {
      const { send, tasks, hooks } = await open(t);
      const { status, json } = await send();
      assert.equal(status, 202, JSON.stringify(json));
      assert.deepEqual([json['hook'], json['verdict']], ['forge', 'accepted']);
      assert.deepEqual(
        tasks()
          .map(({ unit, image, trigger_caller }) => [unit, image, trigger_caller])
          .sort(),
        [
          ['twin.service', `${IMAGE}:latest`, 'hook:forge'],
          ['web.service', `${IMAGE}:latest`, 'hook:forge'],
        ],
      );
      const found = hooks.find('forge');
      assert.ok(found.ok && found.value.last_used_at !== null);
      assert.equal(found.value.last_verdict, 'accepted');
      assert.notEqual(found.value.secrets[0]?.last_used_at, null);
    });

    test('refuses another secret, none, and another body, and says the true reason to nobody but us', async (t) => {
      const { send, post, tasks, refusal, secret } = await open(t);
      const wrong = await send(
        `${secret.slice(0, 10)}${secret[10] === 'A' ? 'B' : 'A'}${secret.slice(11)}`,
      );
      assert.deepEqual([wrong.status, wrong.json['code']], [401, 'HOOK_REFUSED']);
      assert.equal(refusal(), 'secret-wrong');
      const none = await post('/hooks/forge', { body });
      assert.deepEqual(plain(none), plain(wrong));
      assert.equal(refusal(), 'secret-missing');
      assert.deepEqual(tasks(), []);
    });

    test('lets in by both secrets after a rotation, and by the newer one alone when the older is removed', async (t) => {
      const { send, hooks, secret } = await open(t);
      const rotated = hooks.rotate('forge', true, 'admin');
      assert.ok(rotated.ok);
      const { text } = rotated.value.secret;
      assert.notEqual(text, secret);
      for (const used of [secret, text]) assert.equal((await send(used)).status < 300, true);
      const [newer, older] = rotated.value.hook.secrets;
      assert.equal(newer?.id, rotated.value.secret.id);
      assert.ok(hooks.removeSecret('forge', older?.id ?? '', 'admin').ok);
      assert.equal((await send(secret)).status, 401);
      assert.equal((await send(text)).status < 300, true);
      const once = hooks.rotate('forge', false, 'admin');
      assert.ok(once.ok && once.value.hook.secrets.length === 1);
      assert.equal((await send(text)).status, 401);
    });
  });
}
