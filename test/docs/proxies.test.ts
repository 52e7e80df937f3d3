// Needs: caddy, nginx, openssl
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, test } from 'node:test';
import { askAdmin, deliveryHeaders } from '../app/http/http-fixture.ts';
import {
  CLIENT,
  HOST,
  LOGIN_PAGE,
  type Proxied,
  SIGNED_IN,
  startProxied,
} from './proxy-fixture.ts';

/** What a client says of itself that only the proxy may say. */
const SPOOFED = {
  'x-podup-role': 'admin',
  'remote-user': 'mallory',
  'x-forwarded-for': '198.51.100.7',
  'x-forwarded-host': 'evil.example',
};

/** How a browser shows that a change comes from a page of the service. */
const FROM_PAGE = { 'x-podup-csrf': '1', origin: `https://${HOST}` };
const JSON_BODY = { 'content-type': 'application/json' };

/** A ping whose bytes no JSON writer would write, more of them than a proxy keeps in memory. */
const ODD_BODY = Buffer.concat([
  Buffer.from('\r\n{ "zen" :\t"Keep it lo\\u0067ically \u{1f9e9} awesome",\r\n "pad": "'),
  Buffer.alloc(900 * 1024, 'x'),
  Buffer.from('" }\n\n'),
]);

/** Whence the last request of that path came, as it was recorded. */
async function addressOf({ world }: Proxied, path: string): Promise<unknown> {
  const { json } = await askAdmin(world.port, `/api/events?path=${path}&limit=1`);
  const [event] = json['events'] as readonly { readonly remote_address: unknown }[];
  return event?.remote_address;
}

for (const name of ['caddy', 'nginx'] as const) {
  describe(`${name}, as docs/access.md has it`, () => {
    test('lets whoever has signed in do everything, by name', async (t) => {
      const proxied = await startProxied(t, name);
      const path = '/api/session?from=page';
      const { status, json } = await proxied.ask({ path, headers: SIGNED_IN });
      assert.deepEqual(
        [status, json['caller'], json['recognised_by']],
        [200, 'person:ada', 'forward-auth'],
      );
      assert.deepEqual(proxied.asked, [{ method: 'GET', url: `https://${HOST}${path}` }]);

      const made = await proxied.ask({
        ...{ method: 'POST', path: '/api/hooks' },
        headers: { ...SIGNED_IN, ...FROM_PAGE, ...JSON_BODY },
        body: JSON.stringify({ name: 'forge', source: 'gitea' }),
      });
      assert.equal(made.status, 201, made.text);
      assert.deepEqual(proxied.asked[1], { method: 'POST', url: `https://${HOST}/api/hooks` });
    });

    test('lets nobody else in, whatever the request says of who sends it', async (t) => {
      const proxied = await startProxied(t, name);
      const path = '/api/session';
      const refused = await proxied.ask({ path, headers: SPOOFED });
      const page = `${LOGIN_PAGE}?rd=${encodeURIComponent(`https://${HOST}${path}`)}`;
      assert.deepEqual([refused.status, refused.headers.location], [302, page]);
      assert.deepEqual(proxied.passed, []);

      const headers = { ...SPOOFED, ...SIGNED_IN };
      assert.equal((await proxied.ask({ path, headers })).json['caller'], 'person:ada');
      assert.equal(await addressOf(proxied, path), CLIENT);
      proxied.person = '';
      // Caddy 2.6 makes a name of its own then.
      const { caller } = (await proxied.ask({ path, headers })).json;
      assert.ok(name === 'caddy' ? caller !== 'person:mallory' : caller === 'person:admin');

      const before = proxied.passed.length;
      proxied.stopLogin();
      const unknown = await proxied.ask({ path, headers });
      assert.ok(unknown.status >= 500, String(unknown.status));
      assert.equal(proxied.passed.length, before);
    });

    test('passes deliveries without a login, byte for byte', async (t) => {
      const proxied = await startProxied(t, name);
      const path = '/github-package-update/web';
      const deliver = (sent: Buffer, over: Readonly<Record<string, string>>) =>
        proxied.ask({
          ...{ method: 'POST', path, body: sent },
          headers: { ...deliveryHeaders(ODD_BODY), 'x-github-event': 'ping', ...over },
        });
      const good = await deliver(ODD_BODY, SPOOFED);
      assert.deepEqual([good.status, good.json['verdict']], [200, 'ping'], good.text);
      assert.equal(await addressOf(proxied, path), CLIENT);
      assert.equal(proxied.passed[0]?.['x-podup-role'], undefined);
      const other = await deliver(Buffer.from(ODD_BODY).fill('y', 99, 100), {});
      assert.deepEqual([other.status, other.json['code']], [401, 'SIGNATURE_INVALID']);
      assert.deepEqual(proxied.asked, []);
    });

    test('passes deliveries for hooks, which are held to the networks of their senders', async (t) => {
      const proxied = await startProxied(t, name);
      const create = async (hook: string, networks: readonly string[]) => {
        const { json } = await proxied.ask({
          ...{ method: 'POST', path: '/api/hooks' },
          headers: { ...SIGNED_IN, ...FROM_PAGE, ...JSON_BODY },
          body: JSON.stringify({ name: hook, source: 'gitea', networks }),
        });
        return (json['secret'] as { readonly text: string }).text;
      };
      const post = async (hook: string, secret: string) => {
        const signature = createHmac('sha256', secret).update(ODD_BODY).digest('hex');
        const { status, json } = await proxied.ask({
          ...{ method: 'POST', path: `/hooks/${hook}`, body: ODD_BODY },
          headers: {
            ...JSON_BODY,
            ...SPOOFED,
            ...{ 'x-gitea-event': 'push', 'x-gitea-delivery': hook },
            'x-gitea-signature': signature,
          },
        });
        return [status, json['code'] ?? json['verdict']];
      };
      const here = await create('here', [`${CLIENT}/32`]);
      const there = await create('there', ['198.51.100.0/24']);
      assert.deepEqual(await post('here', here), [202, 'ignored']);
      assert.deepEqual(await post('there', there), [401, 'HOOK_REFUSED']);
    });

    test('hands on each event of a stream when it comes', async (t) => {
      const proxied = await startProxied(t, name);
      const listener = await proxied.listen('/sse/events');
      await listener.hearOf('events');
      const before = listener.events().length;
      await proxied.ask({
        ...{ method: 'POST', path: `/api/tasks/${proxied.world.waiting}/stop` },
        headers: { ...SIGNED_IN, ...FROM_PAGE, ...JSON_BODY },
        body: '{}',
      });
      await listener.hear(before + 1);
      assert.equal(listener.isOver, false);
      assert.equal((await listener.hearOf('task')).event, 'task');
    });

    test('hands on what is said to a body that is too large', async (t) => {
      const limit = { PODUP_WEBHOOK_MAX_BODY_BYTES: '4096' };
      const proxied = await startProxied(t, name, limit);
      // nginx has read all of it before it sends it on; Caddy reads on for 256 KiB after an answer.
      const body = Buffer.alloc(name === 'nginx' ? 20 * 1024 * 1024 : 128 * 1024, ' ');
      const { status, json } = await proxied.ask({
        ...{ method: 'POST', path: '/hooks/hub/secret', body, headers: JSON_BODY },
      });
      assert.deepEqual([status, json['code']], [413, 'BODY_TOO_LARGE']);
    });
  });
}
