import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { FastifyInstance } from 'fastify';
import type { ScheduleView } from '../../../../app/api/self-update-views.ts';
import { registerSelfUpdateApi } from '../../../../app/http/routes/self-update-api.ts';
import { createSelfUpdate, type SelfUpdate } from '../../../../app/updates/self-update.ts';
import type { SupervisorChannel } from '../../../../app/updates/supervisor-channel.ts';
import { loadSettings } from '../../../../shared/config/load-settings.ts';
import type { StatePaths } from '../../../../shared/contract/state-paths.ts';
import { makeState } from '../../updates/update-fixture.ts';
import { type Answer, adminGate, ask, startApp, type TestApp, TOKEN } from '../http-fixture.ts';

export type Options = {
  readonly channel?: SupervisorChannel;
  readonly schedule?: { view(): ScheduleView };
  readonly environment?: Readonly<Record<string, string>>;
  readonly token?: string;
  readonly paths?: StatePaths;
  readonly prepare?: (app: FastifyInstance, selfUpdate: SelfUpdate) => void;
};

/** The application with the routes of self-update over a state directory of the test. */
export async function startUpdateApp(
  context: TestContext,
  options: Options = {},
): Promise<TestApp & { readonly paths: StatePaths; readonly selfUpdate: SelfUpdate }> {
  const { channel, schedule, environment, prepare } = options;
  const paths = options.paths ?? makeState(context);
  const result = loadSettings({ PODUP_STATE_DIR: paths.stateDir, ...environment });
  assert.ok(result.ok);
  const { settings } = result.loaded;
  const selfUpdate = createSelfUpdate({ settings, paths, channel, schedule });
  const gate = adminGate(options.token);
  const app = await startApp(context, {
    prepare: (prepared) => {
      registerSelfUpdateApi(prepared, { selfUpdate, gate });
      prepare?.(prepared, selfUpdate);
    },
  });
  return { ...app, paths, selfUpdate };
}

/** Posts as an admin: JSON, or nothing at all. */
export function post(port: number, path: string, body?: unknown): Promise<Answer> {
  const authorization = `Bearer ${TOKEN}`;
  if (body === undefined) return ask(port, { method: 'POST', path, headers: { authorization } });
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const headers = { authorization, 'content-type': 'application/json' };
  return ask(port, { method: 'POST', path, headers, body: text });
}
