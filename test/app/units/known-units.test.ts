import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { DiscoveredRow } from '../../../app/db/discovered-units.ts';
import { createKnownUnits } from '../../../app/units/known-units.ts';

function row(unit: string, marks: Partial<DiscoveredRow> = {}): DiscoveredRow {
  return {
    ...{ unit, source: 'quadlet', path: `/q/${unit}`, image: null, fault: null },
    ...{ isAutoUpdated: false, hasPolicy: false, webhookEnabled: null },
    ...{ firstSeenAt: 1, lastSeenAt: 1 },
    ...marks,
  };
}

function start(rows: () => readonly DiscoveredRow[], autoDiscover = false) {
  return createKnownUnits({ listed: ['web.service', 'db.service'], autoDiscover, readFound: rows });
}

const FOUND = [
  row('web.service'),
  row('silent.service'),
  row('auto.service', { isAutoUpdated: true }),
  row('auto.service', { source: 'podman' }),
];

describe('known units', () => {
  test('those that are listed come first, each once', () => {
    const known = start(() => FOUND);
    assert.deepEqual(
      known.all().map(({ unit, isListed, marks }) => [unit, isListed, marks !== null]),
      [
        ['web.service', true, true],
        ['db.service', true, false],
        ['auto.service', false, true],
        ['silent.service', false, true],
      ],
    );
  });

  test('each trigger has its own list', () => {
    const listed = ['web.service', 'db.service'];
    const known = start(() => FOUND);
    assert.deepEqual(known.list('webhook'), listed);
    assert.deepEqual(known.list('batch'), [...listed, 'auto.service']);
    assert.deepEqual(known.list('person'), [...listed, 'auto.service', 'silent.service']);
    assert.deepEqual(start(() => FOUND, true).list('webhook'), [...listed, 'auto.service']);
  });

  test('a person may name what is known, in any spelling, and nothing else of the manager', () => {
    const known = start(() => FOUND);
    for (const [name, expected] of [
      ['web', 'web.service'],
      [' silent.service', 'silent.service'],
      ['dbus.service', undefined],
      ['dbus-broker', undefined],
      ['../web', undefined],
      ['--now', undefined],
      ['web.socket', undefined],
      ['', undefined],
      ['__proto__', undefined],
    ] as const) {
      const chosen = known.choose('person', name);
      assert.equal(chosen.ok ? chosen.value : undefined, expected, name);
      if (!chosen.ok) assert.equal(chosen.failure.code, 'UNIT_NOT_CONFIGURED');
    }
  });

  test('a refusal says why', () => {
    const refused = start(() => FOUND).choose('webhook', 'auto');
    assert.match(refused.ok ? '' : refused.failure.detail, /^auto\. .*PODUP_AUTO_DISCOVER/);
  });

  test('what was found is read again when told, and kept while it cannot be read', () => {
    let rows: readonly DiscoveredRow[] | undefined = FOUND;
    const known = start(() => {
      if (!rows) throw new Error('database is locked');
      return rows;
    });
    rows = [];
    assert.equal(known.find('silent.service')?.unit, 'silent.service');
    rows = undefined;
    known.reload();
    assert.equal(known.find('silent.service')?.unit, 'silent.service');
    rows = [];
    known.reload();
    assert.equal(known.find('silent.service'), undefined);
    assert.ok(known.admit('webhook', 'web.service').allowed);
  });

  test('those that are listed are known although the database cannot be read from the start', () => {
    const known = start(() => {
      throw new Error('database is locked');
    });
    assert.deepEqual(known.list('webhook'), ['web.service', 'db.service']);
  });

  test('a template is no unit, and its instances say what it says where they have no file', () => {
    const known = start(() => [
      row('app@.service', { isAutoUpdated: true, webhookEnabled: false, image: 'ghcr.io/o/app:1' }),
      row('app@1.service', { source: 'podman', path: null }),
      row('app@2.service', { image: 'ghcr.io/o/app:2' }),
    ]);
    const seen = known.all().map(({ unit, image, marks }) => [unit, image, marks?.isAutoUpdated]);
    assert.deepEqual(seen.slice(2), [
      ['app@1.service', 'ghcr.io/o/app:1', true],
      ['app@2.service', 'ghcr.io/o/app:2', false],
    ]);
    assert.ok(!known.choose('person', 'app@').ok && !known.choose('person', 'app@3').ok);
  });

  test('an instance that is listed is held to what its template says', () => {
    const known = createKnownUnits({
      ...{ listed: ['app@1.service'], autoDiscover: false },
      readFound: () => [row('app@.service', { webhookEnabled: false })],
    });
    assert.deepEqual(known.admit('webhook', 'app@1.service'), {
      ...{ allowed: false, reason: 'webhooks-off' },
    });
  });
});
