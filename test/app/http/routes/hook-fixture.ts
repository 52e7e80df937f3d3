import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { createHookBody } from '../../../../app/api/hook-requests.ts';
import { ADMIN_ACCESS, toAccess } from '../../../../app/domain/access.ts';
import { HookBook } from '../../../../app/hooks/hook-book.ts';
import { keepHooks } from '../../../../app/hooks/keep-hooks.ts';
import { HookAdmin } from '../../../../app/hooks/manage-hooks.ts';
import { createAdminGate } from '../../../../app/http/admin-gate.ts';
import { registerDeliveriesApi } from '../../../../app/http/routes/deliveries-api.ts';
import { registerHooks } from '../../../../app/http/routes/hooks.ts';
import { container, published } from '../../domain/package-body.ts';
import { type Answer, ask, MAX_BODY_BYTES, startApp, TOKEN } from '../http-fixture.ts';

/** Of who may have web.service deployed, and nothing else. */
export const WEB_TOKEN = 'zgeheim-web-token';

export const DIGEST = `sha256:${'0a'.repeat(32)}`;
export const IMAGE = 'ghcr.io/octo-org/hello';

/** A push of the image that web.service and twin.service run. */
export const GENERIC = JSON.stringify({ image: IMAGE, tag: 'latest', digest: DIGEST });
export const GITHUB = JSON.stringify(published(container()));
export const GITEA = JSON.stringify({
  action: 'created',
  package: {
    ...{ type: 'container', name: 'hello', version: 'latest' },
    ...{ owner: { login: 'octo-org' }, html_url: 'https://git.example/octo-org/hello' },
  },
});
export const DISTRIBUTION = JSON.stringify({
  events: [
    {
      ...{ id: 'evt-1', action: 'push' },
      target: {
        ...{ repository: 'octo-org/hello', tag: 'latest', digest: DIGEST },
        mediaType: 'application/vnd.oci.image.index.v1+json',
      },
    },
  ],
});
export const PIPELINE = JSON.stringify({
  object_kind: 'pipeline',
  object_attributes: { status: 'success' },
});
export const JFROG = JSON.stringify({
  ...{ domain: 'docker', event_type: 'pushed' },
  data: {
    image_name: 'octo-org/hello',
    tag: 'latest',
    name: 'manifest.json',
    sha256: '0a'.repeat(32),
  },
});
export const HUB = JSON.stringify({
  push_data: { tag: 'latest', pushed_at: 1 },
  repository: { repo_name: 'octo-org/hello' },
});

/** In hex. */
export function hmac(secret: string, body: string): string {
  return createHmac('sha256', secret).update(body).digest('hex');
}

type Sent = {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
};

/** The application with hooks over a real store, a real intake and a real key. */
export async function startHooks(context: TestContext) {
  const bad: Buffer[] = [];
  const checked: (readonly string[])[] = [];
  let hooks: HookAdmin | undefined;
  let locked = 0;
  const test = await startApp(context, {
    prepare(app, { store, folder, log, intake, units, listUnits }) {
      const book = new HookBook();
      hooks = new HookAdmin({
        ...{ store, book, baseUrl: 'https://deploy.example.com' },
        key: { path: join(folder, 'hook.key') },
        keep: (entries) => keepHooks(join(folder, 'hooks.json'), entries),
        readKept: () => undefined,
      });
      const hookUnits = { ...units, list: listUnits };
      const gate = createAdminGate({
        tokens: [
          { name: 'admin', secret: TOKEN, access: ADMIN_ACCESS },
          { name: 'web', secret: WEB_TOKEN, access: toAccess(['deploy:web.service']) },
        ],
      });
      registerDeliveriesApi(app, {
        store,
        gate,
        replay: { store, intake, book, units: hookUnits },
      });
      registerHooks(app, {
        ...{ log, intake, book, maxBodyBytes: MAX_BODY_BYTES, toleranceMs: 300_000 },
        units: hookUnits,
        keepBadPayload: (body) => void bad.push(body),
        onLocked: () => void locked++,
        onCheck: (names) => void checked.push(names),
      });
    },
  });
  const { port, store, events, takeOver } = test;
  const admin = hooks;
  assert.ok(admin);
  const post = (path: string, { headers = {}, body = '' }: Sent = {}) =>
    ask(port, {
      ...{ method: 'POST', path, body },
      headers: { 'content-type': 'application/json', ...headers },
    });
  return {
    ...{ ...test, hooks: admin, bad, checked, post, isLocked: () => locked > 0 },
    /** Makes a hook; gives the text of its secret. */
    create(wish: Readonly<Record<string, unknown>>): string {
      const made = admin.create(createHookBody.parse(wish), 'admin');
      assert.ok(made.ok, JSON.stringify(made));
      return made.value.secret.text;
    },
    /** The tasks of all that was answered. */
    tasks() {
      takeOver();
      return store.tasks.list({ limit: 100 });
    },
    /** Why the last request was refused, as it stands in the event log. */
    refusal(): unknown {
      events.flush();
      const [row] = store.events.list({ limit: 1 }).rows;
      return (JSON.parse(row?.meta ?? '{}') as { readonly refused?: unknown }).refused;
    },
  };
}

/** The signature of https://www.standardwebhooks.com. */
export function standardHeaders(secret: string, body: string, over: Partial<Signed> = {}) {
  const { id = 'msg_1', at = Math.floor(Date.now() / 1000), key = secret } = over;
  const bytes = Buffer.from(key.replace(/^whsec_/, ''), 'base64');
  const mac = createHmac('sha256', bytes).update(`${id}.${at}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': String(at), 'webhook-signature': `v1,${mac}` };
}

type Signed = { readonly id: string; readonly at: number; readonly key: string };

/** What was answered, without what is another one each time. */
export function plain({ status, json }: Answer) {
  const { request_id, ...rest } = json;
  assert.ok(request_id);
  return { status, ...rest };
}

/** A header that holds a secret whole. */
export function bearer(secret: string) {
  return { authorization: `Bearer ${secret}` };
}

/** By what answers are told apart here. */
export function pick({ status, json }: Answer) {
  return { status, code: json['code'] };
}

/** What is answered to whoever is not let in. */
export const REFUSED = { status: 401, code: 'HOOK_REFUSED' };
