import type { ReleaseIdentity } from '../../../shared/contract/release.ts';
import type { UpdateRecord } from '../../../shared/contract/update-record.ts';
import type { UpdateStatus } from '../../../shared/contract/update-status.ts';

/** SHA-256 digests as they are written. */
export const DIGEST = 'a1'.repeat(32);
export const OTHER_DIGEST = 'b2'.repeat(32);

/** A program of which everything is known. */
export const RELEASE: ReleaseIdentity = {
  version: '1.2.3',
  digest: DIGEST,
  generation: 7,
  tag: 'v1.2.3',
  commit: '0123abc',
};

/** A program of which only the file is known. */
export const NAMELESS: ReleaseIdentity = {
  version: '1.3.0-beta.1',
  digest: OTHER_DIGEST,
  generation: null,
  tag: null,
  commit: null,
};

/** A failure as another process reports it. */
export const FAILURE = { code: 'UPDATE_START_TIMEOUT', detail: 'Nothing came in 60 s.' } as const;

/** An update in the middle of its trial. */
export const RECORD: UpdateRecord = {
  v: 1,
  txn: 'upd_k3x9',
  kind: 'release',
  seq: 12,
  state: 'trial',
  from: RELEASE,
  to: NAMELESS,
  request: {
    id: 'req-1',
    trigger: 'cli',
    by: 'Zoë',
    reason: null,
    dryRun: false,
    tag: null,
    force: false,
    version: null,
    restoreDatabase: false,
    at: 1_700_000_000_000,
  },
  startedAt: 1_700_000_000_001,
  bootId: 'c0ffee',
  stagingLeft: 3,
  triesLeft: 2,
  handOversLeft: 2,
  rollbackAttempts: 0,
  failure: null,
  outcome: null,
  database: {
    backup: { kind: 'copy', file: '/s/b.db', sha256: DIGEST, bytes: 4096, schema: 4 },
    newVersionStarted: true,
    restored: false,
    wanted: null,
    wantedRestored: false,
  },
  steps: [
    { state: 'requested', at: 1, ms: 5 },
    { state: 'staging', at: 6, ms: null },
  ],
  warnings: ['The registry did not answer.'],
  over: null,
  extra: {},
};

/** What a supervisor shows of an update while the stager downloads. */
export const STATUS: UpdateStatus = {
  change: 3,
  supervisor: { pid: 42, version: '1.2.3', slot: 'target' },
  unavailable: null,
  update: {
    txn: 'upd_k3x9',
    kind: 'release',
    state: 'staging',
    trigger: 'cron',
    dryRun: false,
    from: RELEASE,
    to: null,
    startedAt: 1_700_000_000_001,
    triesLeft: 3,
    failure: null,
    progress: { step: 'downloading', bytes: 10, total: null },
    steps: [{ state: 'requested', at: 1, ms: 5 }],
  },
};
