import { readFile } from 'node:fs/promises';
import type { FastifyInstance } from 'fastify';
import {
  configView,
  type HooksView,
  helloView,
  hooksView,
  type SettingsView,
  settingsView,
  versionCheckView,
} from '../../api/info-views.ts';
import { HOOK_PREFIX } from '../../info/view-hooks.ts';
import { formatFrame } from '../../tasks/live/live-reader.ts';
import type { VersionCheck } from '../../updates/version-check.ts';
import type { AdminGate } from '../admin-gate.ts';
import { sendFailure } from '../problem-reply.ts';
import { type Route, route, serveRoutes } from '../serve-routes.ts';

type Parts = {
  readonly gate: AdminGate;
  readonly baseUrl: string | undefined;
  readonly viewSettings: () => Promise<SettingsView>;
  readonly viewHooks: () => HooksView;
  readonly checkVersion: VersionCheck;
  /** The body with a bad signature. */
  readonly payloadPath: string;
};

/** How soon a client that only looks whether streams get through comes again. */
const HELLO_RETRY_MS = 15_000;

/** What this program is and how it is set up: for everybody what an interface needs first, for admins the rest. */
export function registerInfoApi(app: FastifyInstance, parts: Parts): void {
  serveRoutes(app, { action: 'info' }, openRoutes(parts));
  serveRoutes(app, { action: 'info', gate: parts.gate }, [
    ...adminRoutes(parts),
    payloadRoute('GET', parts.payloadPath),
    payloadRoute('HEAD', parts.payloadPath),
  ]);
}

function openRoutes({ baseUrl }: Parts): readonly Route[] {
  const webhook_url_prefix = baseUrl ?? null;
  return [
    route(
      {
        method: 'GET',
        url: '/api/config',
        needs: 'anyone',
        action: 'config-api',
        summary: 'What an interface needs before anybody has signed in.',
        answers: { 200: configView },
      },
      () => ({ web: { webhook_url_prefix, github_webhook_path_prefix: HOOK_PREFIX } }),
    ),
    route(
      {
        method: 'GET',
        url: '/sse/hello',
        needs: 'anyone',
        action: 'sse-hello',
        summary: 'One event, to see whether streams get through.',
        answers: {
          200: {
            media: ['text/event-stream'],
            about: 'One Server-Sent Event, and the end.',
            events: { hello: helloView },
          },
        },
      },
      (_given, _request, reply) => {
        const hello = { message: 'pod-upgrade-trigger', timestamp: Math.floor(Date.now() / 1000) };
        return reply
          .type('text/event-stream; charset=utf-8')
          .header('x-accel-buffering', 'no')
          .send(`retry: ${HELLO_RETRY_MS}\n${formatFrame('hello', JSON.stringify(hello))}`);
      },
    ),
  ];
}

function adminRoutes({ viewSettings, viewHooks, checkVersion }: Parts): readonly Route[] {
  return [
    route(
      {
        method: 'GET',
        url: '/api/settings',
        needs: 'read',
        action: 'settings-api',
        summary: 'How this program is set up; of secrets only whether there is one.',
        answers: { 200: settingsView },
      },
      () => viewSettings(),
    ),
    route(
      {
        method: 'GET',
        url: '/api/webhooks/status',
        needs: 'read',
        action: 'webhooks-status',
        summary: 'How the webhooks of the units have come in.',
        answers: { 200: hooksView },
      },
      () => viewHooks(),
    ),
    route(
      {
        method: 'GET',
        url: '/api/version/check',
        needs: 'read',
        action: 'version-check',
        summary: 'Whether there is a newer release.',
        about:
          'The source of releases is asked once an hour at most, after a failure every five minutes.',
        answers: { 200: versionCheckView },
        fails: true,
      },
      async (_given, request, reply) => {
        const checked = await checkVersion();
        return checked.ok ? checked.value : sendFailure(request, reply, checked.failure);
      },
    ),
  ];
}

function payloadRoute(method: 'GET' | 'HEAD', path: string): Route {
  return route(
    {
      method,
      url: '/last_payload.bin',
      needs: 'admin',
      action: 'debug-payload-download',
      summary: 'The beginning of the last webhook body with a bad signature.',
      answers: { 200: { media: ['application/octet-stream'], about: 'At most 64 KiB, as sent.' } },
      refusals: ['PAYLOAD_NOT_FOUND'],
    },
    async (_given, request, reply) => {
      const body = await readPayload(path);
      if (!body) return sendFailure(request, reply, { code: 'PAYLOAD_NOT_FOUND', detail: '' });
      return reply
        .type('application/octet-stream')
        .header('content-disposition', 'attachment; filename="last_payload.bin"')
        .send(body);
    },
  );
}

async function readPayload(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
