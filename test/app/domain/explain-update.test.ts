import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  type ExplainTopic,
  explainUpdate,
  type UpdateSituation,
} from '../../../app/domain/explain-update.ts';
import type { UpdateFacts } from '../../../app/domain/update-facts.ts';
import { ERRORS } from '../../../shared/contract/error-codes.ts';
import { fail, succeed } from '../../../shared/contract/outcome.ts';
import { NO_POLICY, UPDATE_OUTCOMES } from '../../../shared/contract/update-history.ts';
import { UPDATE_STATES } from '../../../shared/contract/update-record.ts';
import { historyEntry, openUpdate, updateRecord, updateStatus } from '../updates/update-fixture.ts';

const FAILURE = { code: 'UPDATE_START_FAILED', detail: 'It ended with 1.' } as const;

const FACTS: UpdateFacts = {
  record: { kind: 'none' },
  history: [],
  quarantine: [],
  policy: NO_POLICY,
  retained: [],
  unreadable: [],
};

const SITUATION: UpdateSituation = {
  facts: FACTS,
  status: succeed(updateStatus()),
  running: '1.0.0',
  channel: 'stable',
  pin: null,
  schedule: null,
  newest: null,
  isService: true,
  formatTime: (ms) => `t${ms}`,
};

const CURRENT = {
  at: 5,
  found: succeed({ kind: 'current', version: null, tag: 'v1.0.0', skipped: [] } as const),
};
const FOUND = { kind: 'other', version: '2.0.0', tag: 'v2.0.0', skipped: [] } as const;
const OTHER = { at: 5, found: succeed(FOUND) };
const SCHEDULE = { cron: '0 4 * * *', dryRun: false, nextAt: 9 };
const HOLD = { at: 3, by: 'ann', reason: 'holidays', automatic: false };

/** The sentences about a topic. */
function textsOf(topic: ExplainTopic, over: Partial<UpdateSituation>): readonly string[] {
  return explainUpdate({ ...SITUATION, ...over })
    .filter((sentence) => sentence.topic === topic)
    .map(({ text }) => text);
}

function factsWith(over: Partial<UpdateFacts>): { readonly facts: UpdateFacts } {
  return { facts: { ...FACTS, ...over } };
}

function opened(over: Parameters<typeof openUpdate>[0]) {
  return { status: succeed(updateStatus({ update: openUpdate(over) })) };
}

describe('the answer', () => {
  for (const [title, over, text] of [
    [
      'an open update',
      { ...opened({ state: 'trial' }), newest: CURRENT },
      'An update is open: it is trial.',
    ],
    [
      'a supervisor that is silent',
      { status: fail('UPDATE_SUPERVISOR_UNREACHABLE', '') },
      'Nothing can begin: no supervisor answers.',
    ],
    [
      'a program that cannot be updated',
      {
        status: succeed(updateStatus({ unavailable: { code: 'UPDATE_UNAVAILABLE', detail: '' } })),
      },
      'This program cannot be updated here.',
    ],
    [
      'a hold',
      { ...factsWith({ policy: { ...NO_POLICY, hold: HOLD } }), newest: OTHER },
      'No update begins: updates are on hold.',
    ],
    [
      'no release that can be installed',
      { newest: { at: 5, found: fail('RELEASE_QUARANTINED', 'v2.') }, schedule: SCHEDULE },
      '1.0.0 stays: no release can be installed now.',
    ],
    [
      'nothing newer',
      { newest: CURRENT, schedule: SCHEDULE },
      'There is nothing to do: 1.0.0 runs and is what would be installed.',
    ],
    [
      'a schedule',
      { newest: OTHER, schedule: SCHEDULE },
      '2.0.0 is installed at the next scheduled run, t9.',
    ],
    [
      'a schedule of dry runs',
      { newest: OTHER, schedule: { ...SCHEDULE, dryRun: true } },
      '2.0.0 is downloaded and verified, but not installed, at the next scheduled run, t9.',
    ],
    ['no schedule', { newest: OTHER }, '2.0.0 waits for somebody to ask for it.'],
    [
      'a schedule that never comes',
      { newest: OTHER, schedule: { ...SCHEDULE, nextAt: null } },
      '2.0.0 waits for somebody to ask for it.',
    ],
    [
      'no look for a release yet',
      {},
      'A newer release, if there is one, waits for somebody to ask for it.',
    ],
    [
      'a command that does not know the schedule',
      { newest: OTHER, isService: false },
      '2.0.0 waits for the schedule of the service, if any, or for somebody to ask for it.',
    ],
  ] as const satisfies readonly (readonly [string, Partial<UpdateSituation>, string])[]) {
    test(`with ${title} stands first and is one`, () => {
      assert.deepEqual(textsOf('answer', over), [text]);
      assert.equal(explainUpdate({ ...SITUATION, ...over })[0]?.topic, 'answer');
    });
  }
});

describe('the reasons', () => {
  test('of a host where all is well are few', () => {
    const sentences = explainUpdate({ ...SITUATION, newest: CURRENT, schedule: SCHEDULE });
    assert.deepEqual(
      sentences.map(({ topic, text }) => [topic, text]),
      [
        ['answer', 'There is nothing to do: 1.0.0 runs and is what would be installed.'],
        ['update', 'No update is open.'],
        ['schedule', 'The schedule is 0 4 * * *; it comes next t9.'],
        ['release', 'Looked at are releases of the channel stable, the newest first.'],
        ['release', 'A look at t5 found v1.0.0, which runs already.'],
        ['last', 'No update has ended here yet.'],
      ],
    );
  });

  test('say what a supervisor cannot, with the hint of its code', () => {
    const unavailable = { code: 'UPDATE_UNAVAILABLE', detail: 'It runs as /x.' } as const;
    const sentences = explainUpdate({
      ...SITUATION,
      status: succeed(updateStatus({ unavailable })),
    });
    assert.deepEqual(
      sentences.filter(({ topic }) => topic === 'availability'),
      [
        {
          topic: 'availability',
          text: 'This program cannot update itself here. It runs as /x.',
          hint: ERRORS.UPDATE_UNAVAILABLE.hint,
        },
      ],
    );
  });

  test('say that the supervisor is silent, or is the one before', () => {
    const silent = { status: fail('UPDATE_SUPERVISOR_UNREACHABLE', 'Silent for 2 s.') };
    assert.deepEqual(textsOf('supervisor', silent), [
      'No supervisor answers. Silent for 2 s. What follows is what the files say.',
    ]);
    const supervisor = { pid: 1, version: '1.0.0', slot: 'old' } as const;
    assert.match(
      textsOf('supervisor', { status: succeed(updateStatus({ supervisor })) }).join(),
      /^The supervisor is 1\.0\.0, started from TARGET\.old/,
    );
  });

  test('take the open update from the record where the supervisor is silent', () => {
    const status = fail('UPDATE_SUPERVISOR_UNREACHABLE', '');
    const record = updateRecord({ state: 'trial', failure: FAILURE });
    const over = { status, ...factsWith({ record: { kind: 'record', record } }) };
    assert.deepEqual(textsOf('update', over), [
      'upd_1 is updating since t1700000000000: 2.0.0 runs on trial, with 3 tries left; if it does not prove itself 1.0.0 is put back.',
      'The new version ended before it was proven. It ended with 1.',
    ]);
  });

  test('say what a record is that cannot be read', () => {
    assert.deepEqual(textsOf('availability', factsWith({ record: { kind: 'newer', v: 7 } })), [
      'The update record was written by a newer version of this program. It has format 7.',
    ]);
    const broken = factsWith({ record: { kind: 'broken', reason: 'its checksum is wrong' } });
    assert.deepEqual(textsOf('files', broken), [
      'The update record UPDATE_LOCK.json cannot be used: its checksum is wrong.',
    ]);
    assert.deepEqual(textsOf('files', factsWith({ unreadable: ['/x: EACCES'] })), [
      'A file cannot be read: /x: EACCES.',
    ]);
  });

  for (const state of UPDATE_STATES) {
    test(`have a sentence for the state ${state}`, () => {
      const [text = ''] = textsOf('update', opened({ state, triesLeft: 1 }));
      assert.match(text, /^upd_1 is updating since t1700000000000: \S.*[^.]\.$/);
      assert.doesNotMatch(text, /undefined|null|\.\.|1 tries/);
    });
  }

  test('say how far a download is, and what an update is for', () => {
    const progress = { step: 'downloading', bytes: 5, total: 10 } as const;
    const [text] = textsOf('update', opened({ progress, dryRun: true, to: null }));
    assert.equal(
      text,
      'upd_1 is updating since t1700000000000: the release is being chosen, fetched and verified; nothing is changed yet (downloading, 5 of 10 bytes). It is a dry run: in the end nothing will have changed.',
    );
    const [unknown] = textsOf('update', opened({ progress: { ...progress, total: null } }));
    assert.match(unknown ?? '', /\(downloading, 5 bytes\)\.$/);
    assert.match(
      textsOf('update', opened({ kind: 'rollback' })).join(),
      /^upd_1 is going back since/,
    );
    // What was left of a download says nothing of a later state.
    assert.doesNotMatch(textsOf('update', opened({ progress, state: 'trial' })).join(), /bytes/);
  });

  for (const [title, hold, text] of [
    ['a person', HOLD, 'Updates are on hold since t3: ann wanted it, because: holidays.'],
    [
      'nobody that is known',
      { ...HOLD, by: null, reason: null },
      'Updates are on hold since t3: somebody wanted it, without a reason.',
    ],
    [
      'the supervisor',
      { ...HOLD, automatic: true },
      'Updates are on hold since t3: two different releases in a row failed here.',
    ],
  ] as const) {
    test(`say who holds updates: ${title}`, () => {
      const over = factsWith({ policy: { ...NO_POLICY, hold } });
      assert.deepEqual(textsOf('hold', over), [text]);
    });
  }

  test('say when the schedule comes, or that there is none', () => {
    assert.deepEqual(textsOf('schedule', { schedule: { ...SCHEDULE, dryRun: true } }), [
      'The schedule is 0 4 * * *; it comes next t9. It only downloads and verifies (PODUP_SELF_UPDATE_DRY_RUN).',
    ]);
    assert.match(
      textsOf('schedule', { schedule: { ...SCHEDULE, nextAt: null } }).join(),
      /never\.$/,
    );
    assert.match(textsOf('schedule', {}).join(), /^There is no schedule/);
    assert.match(textsOf('schedule', { isService: false }).join(), /is not known here/);
  });

  test('say which releases are looked at and what was found', () => {
    assert.deepEqual(textsOf('release', { pin: 'v1.2.3', newest: OTHER }), [
      'Only the release v1.2.3 may be installed.',
      'A look at t5 found 2.0.0 (v2.0.0); 1.0.0 runs.',
    ]);
    const skipped = succeed({ ...FOUND, skipped: ['v2.2.0', 'v2.1.0'] });
    assert.deepEqual(textsOf('release', { channel: 'beta', newest: { at: 5, found: skipped } }), [
      'Looked at are releases of the channel beta, the newest first.',
      'A look at t5 found 2.0.0 (v2.0.0); 1.0.0 runs.',
      'Passed over, for they failed here: v2.2.0, v2.1.0.',
    ]);
    const found = fail('RELEASE_SOURCE_UNREACHABLE', 'ECONNREFUSED.');
    assert.match(
      textsOf('release', { newest: { at: 5, found } })[1] ?? '',
      /^A look at t5 found nothing to install: The source of releases cannot be reached\. ECONN/,
    );
    assert.match(textsOf('release', {})[1] ?? '', /^Nobody has looked/);
    assert.match(textsOf('release', { isService: false }).join(), /is not known here/);
  });

  test('name each program that failed here, and why', () => {
    const bad = { digest: 'a'.repeat(64), version: '1.5.0', failure: FAILURE, txn: 'upd_0' };
    const quarantine = [
      { ...bad, count: 1, firstAt: 1, lastAt: 1 },
      { ...bad, version: '1.6.0', count: 3, firstAt: 1, lastAt: 8 },
    ];
    assert.deepEqual(textsOf('quarantine', factsWith({ quarantine })), [
      '1.5.0 (sha256 aaaaaaaaaaaa…) failed here at t1 and is not taken again: The new version ended before it was proven. It ended with 1.',
      '1.6.0 (sha256 aaaaaaaaaaaa…) failed here 3 times, at last at t8 and is not taken again: The new version ended before it was proven. It ended with 1.',
    ]);
  });

  for (const outcome of UPDATE_OUTCOMES) {
    test(`say how the last update ended: ${outcome}`, () => {
      const history = [historyEntry({ txn: 'upd_0' }), historyEntry({ outcome })];
      const [text = ''] = textsOf('last', factsWith({ history }));
      assert.match(text, /^The last update, upd_1, ended at t1700000060000: 2\.0\.0 \S.*\.$/);
    });
  }

  test('say why the last update failed, and what became of the database', () => {
    const entry = historyEntry({
      outcome: 'rolled-back',
      failure: FAILURE,
      databaseRestored: true,
      to: null,
    });
    const sentences = explainUpdate({ ...SITUATION, ...factsWith({ history: [entry] }) });
    assert.deepEqual(
      sentences.filter(({ topic }) => topic === 'last'),
      [
        {
          topic: 'last',
          text: 'The last update, upd_1, ended at t1700000060000: the release was tried and taken back. The database of before was put back.',
          hint: null,
        },
        {
          topic: 'last',
          text: 'The new version ended before it was proven. It ended with 1.',
          hint: ERRORS.UPDATE_START_FAILED.hint,
        },
      ],
    );
  });
});
