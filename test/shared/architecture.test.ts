import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  fileImports,
  files,
  findCycle,
  type Import,
  packageImports,
  reachFrom,
} from './source-imports.ts';

/** Where parts are joined: files that may import more than the area they stand in. */
const JOINTS = [
  'app/admin-routes.ts',
  'app/info-routes.ts',
  'app/join-access.ts',
  'app/join-webhook.ts',
  'app/local-service.ts',
  'app/main.ts',
  'app/open-servers.ts',
  'app/worker.ts',
  'supervisor/main.ts',
  'scripts/pod-upgrade-trigger.ts',
  'scripts/demo.ts',
  'scripts/generate-help.ts',
  'scripts/describe-api.ts',
];

/** What each area imports of the others, types included. ARCHITECTURE.md draws it. */
const DIRECTIONS: Readonly<Record<string, readonly string[]>> = {
  'app/admin-routes.ts': [
    'app/checks',
    'app/db',
    'app/domain',
    'app/events',
    'app/health',
    'app/host',
    'app/http',
    'app/join-access.ts',
    'app/scheduler',
    'app/tasks',
    'app/units',
    'app/updates',
    'shared/config',
    'shared/contract',
    'shared/process',
  ],
  'app/api': ['app/domain', 'shared/contract'],
  'app/cli': [
    'app/api',
    'app/backups',
    'app/db',
    'app/domain',
    'app/events',
    'app/host',
    'app/http',
    'app/maintenance',
    'app/scheduler',
    'app/standby',
    'app/tasks',
    'app/updates',
    'app/worker.ts',
    'shared/config',
    'shared/contract',
    'shared/fs',
    'shared/log',
    'shared/process',
  ],
  'app/backups': ['app/db', 'shared/contract', 'shared/fs', 'shared/process'],
  'app/checks': [
    'app/api',
    'app/db',
    'app/domain',
    'app/host',
    'app/registry',
    'shared/config',
    'shared/contract',
    'shared/fs',
  ],
  'app/maintenance': ['app/db', 'app/domain', 'shared/contract'],
  'app/db': ['app/domain', 'shared/contract', 'shared/fs'],
  'app/deploy': ['app/domain', 'app/host', 'shared/contract', 'shared/process'],
  'app/domain': ['shared/contract'],
  'app/events': [
    'app/api',
    'app/db',
    'app/domain',
    'app/intake',
    'shared/config',
    'shared/contract',
    'shared/log',
  ],
  'app/health': [
    'app/api',
    'app/db',
    'app/domain',
    'app/host',
    'app/updates',
    'shared/config',
    'shared/contract',
    'shared/process',
  ],
  'app/host': ['app/domain', 'shared/contract', 'shared/process'],
  'app/http': [
    'app/access',
    'app/api',
    'app/checks',
    'app/db',
    'app/domain',
    'app/events',
    'app/health',
    'app/info',
    'app/intake',
    'app/metrics',
    'app/scheduler',
    'app/tasks',
    'app/units',
    'app/updates',
    'shared/config',
    'shared/contract',
    'shared/fs',
    'shared/log',
    'shared/native',
    'shared/process',
  ],
  'app/local-service.ts': [
    'app/admin-routes.ts',
    'app/cli',
    'app/db',
    'app/host',
    'app/http',
    'app/info-routes.ts',
    'app/join-access.ts',
    'app/tasks',
    'app/updates',
    'shared/config',
    'shared/contract',
    'shared/log',
    'shared/process',
  ],
  'app/info': ['app/api', 'app/db', 'app/domain', 'shared/config', 'shared/contract'],
  'app/info-routes.ts': [
    'app/db',
    'app/domain',
    'app/health',
    'app/host',
    'app/http',
    'app/info',
    'app/intake',
    'app/metrics',
    'app/units',
    'app/updates',
    'shared/config',
    'shared/contract',
  ],
  'app/metrics': ['app/db', 'app/events', 'shared/contract'],
  'app/access': ['app/db', 'app/domain', 'app/intake', 'shared/contract'],
  'app/join-access.ts': [
    'app/access',
    'app/db',
    'app/domain',
    'app/http',
    'app/tasks',
    'shared/config',
  ],
  'app/join-webhook.ts': ['app/host', 'app/http', 'app/intake', 'shared/config'],
  'app/intake': ['app/db', 'app/domain', 'shared/contract', 'shared/fs', 'shared/log'],
  'app/main.ts': [
    'app/cli',
    'app/local-service.ts',
    'app/standby',
    'app/worker.ts',
    'shared/config',
    'shared/contract',
  ],
  'app/open-servers.ts': ['app/events', 'app/http', 'shared/config'],
  'app/recorder': ['app/db', 'app/events', 'app/intake', 'shared/contract', 'shared/fs'],
  'app/registry': ['app/domain', 'shared/contract', 'shared/process'],
  'app/scheduler': [
    'app/api',
    'app/db',
    'app/domain',
    'app/tasks',
    'app/units',
    'app/updates',
    'shared/config',
    'shared/contract',
  ],
  'app/standby': [
    'app/api',
    'app/domain',
    'app/http',
    'app/intake',
    'app/units',
    'shared/config',
    'shared/contract',
    'shared/fs',
  ],
  'app/tasks': [
    'app/api',
    'app/backups',
    'app/checks',
    'app/db',
    'app/deploy',
    'app/domain',
    'app/host',
    'app/intake',
    'app/maintenance',
    'app/registry',
    'app/units',
    'shared/config',
    'shared/contract',
    'shared/fs',
    'shared/process',
  ],
  'app/units': [
    'app/api',
    'app/db',
    'app/domain',
    'app/host',
    'shared/config',
    'shared/contract',
    'shared/fs',
    'shared/process',
  ],
  'app/updates': [
    'app/api',
    'app/db',
    'app/domain',
    'shared/config',
    'shared/contract',
    'shared/fs',
    'shared/process',
  ],
  'app/worker.ts': [
    'app/admin-routes.ts',
    'app/events',
    'app/health',
    'app/host',
    'app/http',
    'app/info-routes.ts',
    'app/join-access.ts',
    'app/join-webhook.ts',
    'app/intake',
    'app/open-servers.ts',
    'app/recorder',
    'app/scheduler',
    'app/tasks',
    'app/updates',
    'shared/config',
    'shared/contract',
  ],
  scripts: [
    'app/db',
    'app/domain',
    'shared/config',
    'shared/contract',
    'shared/fs',
    'supervisor/core',
  ],
  'scripts/generate-help.ts': ['app/main.ts'],
  'scripts/demo.ts': ['app/api', 'test/helpers'],
  'scripts/describe-api.ts': ['app/worker.ts', 'shared/config', 'shared/fs', 'shared/log'],
  'scripts/pod-upgrade-trigger.ts': ['app/cli', 'app/main.ts', 'supervisor/main.ts'],
  'shared/config': ['package.json', 'shared/contract', 'shared/fs'],
  'shared/fs': ['shared/contract', 'shared/native'],
  'shared/native': ['shared/contract'],
  'shared/process': ['shared/contract'],
  'supervisor/acts': [
    'shared/contract',
    'shared/fs',
    'shared/process',
    'supervisor/core',
    'supervisor/process',
    'supervisor/release',
    'supervisor/socket',
  ],
  'supervisor/core': ['shared/contract'],
  'supervisor/find-on-disk.ts': [
    'shared/contract',
    'shared/fs',
    'supervisor/core',
    'supervisor/installation.ts',
    'supervisor/record',
    'supervisor/remove-asides.ts',
  ],
  'supervisor/find-state-paths.ts': ['shared/config', 'shared/contract', 'shared/fs'],
  'supervisor/inbox': ['shared/contract', 'shared/fs'],
  'supervisor/installation.ts': ['shared/contract', 'shared/fs', 'supervisor/worker'],
  'supervisor/loop': ['shared/contract', 'supervisor/core'],
  'supervisor/main.ts': [
    'shared/config',
    'shared/contract',
    'shared/fs',
    'shared/log',
    'shared/native',
    'supervisor/acts',
    'supervisor/core',
    'supervisor/find-on-disk.ts',
    'supervisor/find-state-paths.ts',
    'supervisor/installation.ts',
    'supervisor/loop',
    'supervisor/process',
    'supervisor/socket',
    'supervisor/supervisor.ts',
    'supervisor/worker',
  ],
  'supervisor/process': ['shared/contract', 'shared/native'],
  'supervisor/record': ['shared/contract', 'shared/fs', 'supervisor/core', 'supervisor/release'],
  'supervisor/release': ['shared/contract', 'shared/fs', 'supervisor/core'],
  'supervisor/remove-asides.ts': ['shared/contract', 'shared/fs'],
  'supervisor/socket': ['shared/contract'],
  'supervisor/standby': ['supervisor/worker'],
  'supervisor/supervisor.ts': [
    'shared/config',
    'shared/contract',
    'shared/fs',
    'supervisor/acts',
    'supervisor/core',
    'supervisor/inbox',
    'supervisor/installation.ts',
    'supervisor/loop',
    'supervisor/record',
    'supervisor/socket',
    'supervisor/standby',
    'supervisor/worker',
  ],
  'supervisor/worker': ['shared/contract', 'supervisor/core', 'supervisor/process'],
};

const PURE = /^(?:shared\/contract|supervisor\/core|app\/domain|app\/api)\//;
const PURE_PACKAGES = ['zod', 'semver'];
/** What would make the supervisor as large, and as often to be updated, as what it watches. */
const TOO_HEAVY = [
  ...['zod', 'fastify', 'better-sqlite3', 'execa', 'undici'],
  ...['chokidar', 'croner', 'commander', 'koffi'],
];

/** The area of a file: the joint itself, the folder below app, shared, supervisor and test, else the top folder. */
function areaOf(file: string): string {
  if (JOINTS.includes(file)) return file;
  const [top = '', folder] = file.split('/');
  return top === 'scripts' || folder === undefined ? top : `${top}/${folder}`;
}

const format = ({ from, to }: Import) => `${from} -> ${to}`;
describe('the sources', () => {
  test('are found', () => {
    assert.ok(files.length > 90, `${files.length} files`);
    assert.ok(fileImports.length > 250, `${fileImports.length} imports`);
  });

  test('import in the allowed directions only', () => {
    const wrong = fileImports.filter(({ from, to }) => {
      const [area, target] = [areaOf(from), areaOf(to)];
      return area !== target && !DIRECTIONS[area]?.includes(target);
    });
    assert.deepEqual(wrong.map(format), []);
  });

  test('use every direction that is allowed', () => {
    const used = new Set(fileImports.map(({ from, to }) => `${areaOf(from)} -> ${areaOf(to)}`));
    const allowed = Object.entries(DIRECTIONS).flatMap(([area, targets]) =>
      targets.map((target) => `${area} -> ${target}`),
    );
    assert.deepEqual(
      allowed.filter((direction) => !used.has(direction)),
      [],
    );
  });

  test('import nothing in a circle at run time', () => {
    assert.deepEqual(findCycle(), []);
  });

  test('of pure folders import nothing of node and no package that is not pure itself', () => {
    const wrong = packageImports.filter(
      ({ from, to }) => PURE.test(from) && !PURE_PACKAGES.includes(to),
    );
    assert.deepEqual(wrong.map(format), []);
  });

  test('of the supervisor load nothing that is heavy, however far down', () => {
    const reached = reachFrom(/^supervisor\//);
    const wrong = packageImports.filter(
      ({ from, to, isErased }) => !isErased && reached.has(from) && TOO_HEAVY.includes(to),
    );
    assert.deepEqual(wrong.map(format), []);
  });

  test('of the standby load no database, however far down', () => {
    const reached = reachFrom(/^app\/(?:standby\/|cli\/intake\.ts)/);
    const wrong = packageImports.filter(
      ({ from, to, isErased }) => !isErased && reached.has(from) && to === 'better-sqlite3',
    );
    assert.deepEqual(wrong.map(format), []);
  });
});
