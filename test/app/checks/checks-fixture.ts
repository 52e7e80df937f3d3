import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { CheckedUnitView } from '../../../app/api/check-views.ts';
import { type CheckParts, checkUpdates } from '../../../app/checks/check-updates.ts';
import { readWishes } from '../../../app/checks/read-wishes.ts';
import { listChecks } from '../../../app/checks/view-checks.ts';
import type { Store } from '../../../app/db/store.ts';
import { parseImageReference } from '../../../app/domain/image-reference.ts';
import { policyDefaults } from '../../../app/domain/unit-policy.ts';
import type { Host } from '../../../app/host/host.ts';
import { succeed } from '../../../shared/contract/outcome.ts';
import { type Command, formatEnd } from '../../../shared/process/run-command.ts';
import { DEPLOY_SETTINGS } from '../../helpers/deploy-settings.ts';
import {
  type LoopbackRegistry,
  type RegistryOptions,
  startLoopbackRegistry,
} from '../../helpers/loopback-registry.ts';
import { openTestStore } from '../../helpers/store.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';
import { until } from '../../helpers/until.ts';
import { answerCommands } from '../tasks/task-fixture.ts';

/** What runs for a unit: the name that its container was started by, and all digests of its image. */
export type Running = {
  readonly unit: string;
  readonly image: string;
  readonly digests: readonly string[];
};

/** A host of which the test says what runs, over a real store. */
export type CheckedHost = {
  readonly store: Store;
  readonly parts: CheckParts;
  readonly commands: Command[];
  running: readonly Running[];
  /** The text of the file of each unit. */
  readonly files: Map<string, string>;
  /** Credentials files by their paths, on the host. */
  readonly texts: Map<string, string>;
  /** Checks as a person does, or with `isForced` false as the clock does. */
  check(options?: { units?: readonly string[]; isForced?: boolean }): Promise<Checked>;
};

type Checked = {
  readonly asked: number;
  readonly failed: number;
  readonly units: Readonly<Record<string, CheckedUnitView['update']>>;
};

/** Starts a registry that is gone after the test. */
export async function startRegistry(
  t: TestContext,
  options?: RegistryOptions,
): Promise<LoopbackRegistry> {
  const registry = await startLoopbackRegistry(options);
  t.after(registry.close);
  return registry;
}

/** Makes the host; its podman takes plain http from the registries. */
export function makeHost(t: TestContext, registries: readonly LoopbackRegistry[]): CheckedHost {
  const { store } = openTestStore(t, makeTempFolder(t));
  const files = new Map<string, string>();
  const texts = new Map<string, string>();
  const made: { running: readonly Running[] } = { running: [] };
  const { run, asked } = answerCommands((argv) => ({ stdout: answer(argv, made.running) }));
  const info = Object.fromEntries(registries.map(({ host }) => [host, { Insecure: true }]));
  const host: Host = {
    run,
    isSystem: false,
    readText: (path) => Promise.resolve(texts.get(path) ?? files.get(path) ?? ''),
    ask: { http: assert.fail, tcp: assert.fail },
    readInfo: () =>
      Promise.resolve(
        succeed({
          registries: info,
          version: '5.0.0',
          graphRoot: '/',
          driver: '',
          freeBytes: undefined,
        }),
      ),
    readEnvironment: () =>
      Promise.resolve(succeed({ REGISTRY_AUTH_FILE: '/auth.json', HOME: '/home/u', uid: 1 })),
    // A way of its own, so that credentials are read on the host and not here.
    readFolders: () => Promise.resolve([]),
    forward: null,
    close: () => Promise.resolve(),
  };
  const parts: CheckParts = {
    ...{ store, host, timeoutMs: 5_000, signal: new AbortController().signal },
    lock: () => Promise.resolve(() => undefined),
    units: () =>
      made.running.map(({ unit, image }) => ({ unit, image: parseImageReference(image) })),
    readWishes: (units) =>
      readWishes(host, policyDefaults({ ...DEPLOY_SETTINGS, higherTags: 'minor' }), units),
  };
  return Object.assign(made, {
    ...{ store, parts, files, texts, commands: asked },
    check: async ({ units, isForced = true }: Parameters<CheckedHost['check']>[0] = {}) => {
      // What was answered in the very millisecond in which a check begins is not asked for again.
      const calledAt = Date.now();
      await until('the next millisecond', 1_000, () => Date.now() > calledAt);
      const checked = await checkUpdates(parts, { isForced, ...(units && { units }) });
      assert.ok(checked.ok, JSON.stringify(checked));
      const views = listChecks(store, parts.units(), 3_600_000, Date.now());
      const byUnit = Object.fromEntries(views.map(({ unit, update }) => [unit, update]));
      return { ...checked.value, units: byUnit };
    },
  });
}

/** What podman and systemctl print, in the formats that they are asked for. */
function answer(argv: readonly string[], running: readonly Running[]): string {
  const [program, word] = argv;
  if (program === 'podman' && word === 'ps') {
    return running.map(({ unit, image }, at) => `id${at} ${image} ${unit}\n`).join('');
  }
  if (program === 'podman' && word === 'image') {
    return running
      .flatMap(({ image, digests }, at) => {
        if (!argv.includes(`id${at}`)) return [];
        const repository = image.replace(/:[^:/]*$/, '');
        const names = digests.map((digest) => `${repository}@${digest}`);
        return [`id${at} linux amd64 ${digests[0]} ${JSON.stringify(names)}\n`];
      })
      .join('');
  }
  if (program === 'systemctl') {
    const units = argv.slice(argv.indexOf('--') + 1);
    return units.map((unit) => `Id=${unit}\nFragmentPath=/${unit}\nDropInPaths=\n`).join('\n');
  }
  assert.fail(formatEnd({ argv } as never));
}
