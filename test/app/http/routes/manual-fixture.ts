import type { TestContext } from 'node:test';
import type { UnitFacts } from '../../../../app/domain/delivery-verdict.ts';
import { parseImageReference } from '../../../../app/domain/image-reference.ts';
import { registerManualApi } from '../../../../app/http/routes/manual-api.ts';
import { createManualActions } from '../../../../app/tasks/manual-actions.ts';
import { createManualTasks } from '../../../../app/tasks/manual-tasks.ts';
import { fail, succeed } from '../../../../shared/contract/outcome.ts';
import { listedUnits } from '../../../helpers/listed-units.ts';
import { adminGate, ask, startApp, TOKEN } from '../http-fixture.ts';

/** The units that may be touched, and what is known of each. */
const UNITS: Readonly<Record<string, string | null>> = {
  'web.service': 'ghcr.io/octo-org/hello:stable',
  'db.service': 'ghcr.io/octo-org/db',
  'shell.service': '',
  'gone.service': null,
  'pinned.service': `ghcr.io/octo-org/pin@sha256:${'0a'.repeat(32)}`,
};

function factsOf(name: string): UnitFacts {
  const text = UNITS[name] ?? null;
  const admission = { allowed: true, because: 'listed' } as const;
  if (text === null) return { name, admission, state: 'unknown-to-systemd' };
  const image = parseImageReference(text);
  return image
    ? { name, admission, state: 'known', image }
    : { name, admission, state: 'image-unknown' };
}

/** The manual API over a real store; what a look at the host says is made up: it says which unit was looked at. */
export async function startManual(context: TestContext, known = Object.keys(UNITS)) {
  const looked: string[] = [];
  const woken: string[] = [];
  const started = await startApp(context, {
    prepare(app, { store }) {
      const imageOf = (unit: string) => UNITS[unit] ?? null;
      const onTask = () => void woken.push('wake');
      const auto = { autoUpdateUnit: 'podman-auto-update.service' };
      const parts = { store, known: listedUnits(known), imageOf, onTask, ...auto };
      const tasks = createManualTasks(parts);
      const actions = createManualActions({
        store,
        known: listedUnits(known),
        ...auto,
        windows: [
          { count: 2, windowMs: 600_000 },
          { count: 10, windowMs: 18_000_000 },
        ],
        factsOf: (unit) => Promise.resolve(factsOf(unit)),
        deployments: {
          ...tasks,
          plan: ({ unit }) => {
            looked.push(`plan ${unit}`);
            return Promise.resolve(fail('REGISTRY_UNREACHABLE', `Asked for ${unit}.`));
          },
          planRestart: (unit) => {
            looked.push(`restart ${unit}`);
            const none = { running_digest: null, running_image: null, brings: null };
            const lists = { commands: [], restarts: [unit], proof: [] };
            return Promise.resolve(succeed({ unit, ...none, ...lists }));
          },
        },
      });
      registerManualApi(app, {
        actions,
        gate: adminGate(),
        autoUpdateUnit: 'podman-auto-update.service',
      });
    },
  });
  const post = (path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}) =>
    ask(started.port, {
      method: 'POST',
      path,
      headers: {
        authorization: `Bearer ${TOKEN}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  const listTasks = () => started.store.tasks.list({ limit: 100 });
  return { ...started, post, listTasks, looked, woken };
}
