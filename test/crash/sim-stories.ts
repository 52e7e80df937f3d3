import type { UpdateRequest } from '../../shared/contract/update-request.ts';
import type { Story } from './sim-explore.ts';
import type { SimHost } from './sim-host.ts';
import { program, type Trouble } from './sim-programs.ts';

const OLD = program('1.0.0');
const NEW = program('2.0.0', { schema: 2 });
/** One whose database the old program may not use. */
const ONE_WAY = program('2.0.0', { schema: 2, migration: 'must-not-run' });
const THIRD = program('3.0.0', { schema: 2 });

const COMMITTED = { version: '2.0.0', outcomes: ['committed'] } as const;
const ROLLED_BACK = { version: '1.0.0', outcomes: ['rolled-back'] } as const;

const update = async (host: SimHost, changes: Partial<UpdateRequest> = {}) => {
  host.ask(changes);
  await host.run();
};

const servedBy = (host: SimHost) => host.supervisor?.worker?.program.version;

/** What is wrong with a release, and whether it has migrated the database by then. */
const TROUBLES: readonly Trouble[] = [
  'dies-at-start',
  'dies-after-migration',
  'dies-later',
  'hangs',
  'stranger',
  'refuses-configuration',
  'fails-probes',
  'fails-check',
  'supervisor-dies',
  'dies-under-itself',
];

/** Where an update can be cancelled. */
const CANCELLABLE = ['staging', 'staged', 'quiescing', 'backing-up'] as const;
const STOPPED = [...CANCELLABLE, 'switching', 'trial', 'handing-over', 'rolling-back'] as const;

/** All of them. */
export const STORIES: readonly Story[] = [
  { name: 'an update', first: OLD, offer: NEW, play: update, ends: COMMITTED },
  { name: 'an update that migrates', first: OLD, offer: ONE_WAY, play: update, ends: COMMITTED },
  {
    name: 'an update, to be gone back from later on',
    first: OLD,
    offer: ONE_WAY,
    play: update,
    epilogue: async (host) => {
      if (servedBy(host) !== '2.0.0') return [];
      await update(host, { command: 'rollback', version: '1.0.0', restoreDatabase: true });
      return servedBy(host) === '1.0.0' ? [] : ['there is no way back to the former version'];
    },
    ends: COMMITTED,
  },
  {
    name: 'a backup without helpers',
    first: { ...OLD, trouble: 'no-helpers' },
    offer: { ...ONE_WAY, trouble: 'no-helpers' },
    play: update,
    ends: COMMITTED,
  },
  ...(['no-helpers', 'cannot-back-up'] as const).map(
    (trouble): Story => ({
      name: `a way back to a program that ${trouble}`,
      first: { ...OLD, trouble },
      offer: { ...ONE_WAY, trouble: 'dies-later' },
      since: 'backing-up',
      play: async (host) => {
        // The staged program could copy it, too.
        host.at('backing-up', () => {
          host.facts.troubles = { '2.0.0': trouble };
        });
        host.at('switching', () => {
          host.facts.troubles = {};
        });
        await update(host);
      },
      ends: ROLLED_BACK,
    }),
  ),
  ...TROUBLES.flatMap((trouble): readonly Story[] => [
    {
      name: `a release that ${trouble}`,
      first: OLD,
      offer: { ...NEW, trouble },
      since: 'switching',
      play: update,
      ends: ROLLED_BACK,
    },
    {
      name: `a release that migrates and ${trouble}`,
      first: OLD,
      offer: { ...ONE_WAY, trouble },
      since: 'switching',
      play: update,
      ends: ROLLED_BACK,
    },
  ]),
  ...CANCELLABLE.map(
    (state): Story => ({
      name: `a cancel while ${state}`,
      since: state,
      first: OLD,
      offer: NEW,
      play: async (host) => {
        host.at(state, () => host.ask({ command: 'cancel' }));
        await update(host);
      },
      ends: { version: '1.0.0', outcomes: ['cancelled'] },
    }),
  ),
  ...STOPPED.map(
    (state): Story => ({
      name: `a stop while ${state}`,
      since: state,
      first: OLD,
      offer: state === 'rolling-back' ? { ...ONE_WAY, trouble: 'fails-check' } : ONE_WAY,
      play: async (host) => {
        host.at(state, () => host.supervisor?.stop());
        await update(host);
      },
      ends: state === 'rolling-back' ? ROLLED_BACK : COMMITTED,
    }),
  ),
  {
    name: 'a dry run',
    first: OLD,
    offer: NEW,
    play: (host) => update(host, { dryRun: true }),
    ends: { version: '1.0.0', outcomes: ['dry-run'] },
  },
  {
    name: 'nothing new',
    first: OLD,
    offer: OLD,
    play: update,
    ends: { version: '1.0.0', outcomes: ['current'] },
  },
  {
    name: 'an update after an update',
    since: 'committing',
    first: OLD,
    offer: NEW,
    play: async (host) => {
      await update(host);
      host.facts.offer = { ...THIRD, schema: 3, migration: 'must-not-run' };
      await update(host);
    },
    ends: { version: '3.0.0', outcomes: ['committed', 'committed'] },
  },
  {
    name: 'a bad update after a good one',
    since: 'committing',
    first: OLD,
    offer: NEW,
    play: async (host) => {
      await update(host);
      host.facts.offer = { ...ONE_WAY, version: '3.0.0', schema: 3, trouble: 'dies-under-itself' };
      await update(host);
    },
    ends: { version: '2.0.0', outcomes: ['committed', 'rolled-back'] },
  },
  {
    name: 'a bad update and another one',
    since: 'rolled-back',
    first: OLD,
    offer: { ...ONE_WAY, trouble: 'fails-check' },
    play: async (host) => {
      await update(host);
      host.facts.offer = { ...ONE_WAY, version: '3.0.0' };
      await update(host);
    },
    ends: { version: '3.0.0', outcomes: ['rolled-back', 'committed'] },
  },
  {
    name: 'the same bad release again',
    since: 'rolled-back',
    first: OLD,
    offer: { ...ONE_WAY, trouble: 'fails-check' },
    play: async (host) => {
      await update(host);
      await update(host, { trigger: 'cron' });
    },
    ends: { version: '1.0.0', outcomes: ['rolled-back', 'failed'] },
  },
  {
    name: 'a former version wanted back',
    since: 'committing',
    first: OLD,
    offer: NEW,
    play: async (host) => {
      await update(host);
      await update(host, { command: 'rollback', version: '1.0.0' });
    },
    ends: { version: '1.0.0', outcomes: ['committed', 'committed'] },
  },
  {
    name: 'a former version wanted back that cannot live with the database',
    since: 'committing',
    first: OLD,
    offer: ONE_WAY,
    play: async (host) => {
      await update(host);
      await update(host, { command: 'rollback', version: '1.0.0' });
    },
    ends: { version: '2.0.0', outcomes: ['committed', 'failed'] },
  },
  {
    name: 'a former version wanted back with its database',
    since: 'committing',
    first: OLD,
    offer: ONE_WAY,
    givesUpRows: true,
    play: async (host) => {
      await update(host);
      await update(host, { command: 'rollback', version: '1.0.0', restoreDatabase: true });
    },
    ends: { version: '1.0.0', outcomes: ['committed', 'committed'] },
  },
  {
    name: 'a former version wanted back with its database, which is bad',
    since: 'committing',
    first: OLD,
    offer: ONE_WAY,
    givesUpRows: true,
    play: async (host) => {
      await update(host);
      host.facts.troubles = { '1.0.0': 'dies-later' };
      await update(host, { command: 'rollback', version: '1.0.0', restoreDatabase: true });
    },
    ends: { version: '2.0.0', outcomes: ['committed', 'rolled-back'] },
  },
  ...heldStories(),
];

/** Neither version runs. */
function heldStories(): readonly Story[] {
  const bad = { ...ONE_WAY, trouble: 'fails-check' } as const;
  const hold = async (host: SimHost) => {
    host.at('rolling-back', () => {
      host.facts.troubles = { '1.0.0': 'dies-at-start' };
    });
    await update(host);
  };
  const common = { first: OLD, offer: bad, since: 'rolling-back', mayHold: true } as const;
  return [
    { ...common, name: 'two bad versions', play: hold, ends: { version: 'held', outcomes: [] } },
    {
      ...common,
      name: 'two bad versions, and a person who mends one',
      since: 'held',
      play: async (host) => {
        await hold(host);
        host.facts.troubles = {};
        await update(host, { command: 'resume' });
      },
      ends: ROLLED_BACK,
    },
    {
      ...common,
      name: 'two bad versions, and a good third one',
      since: 'held',
      play: async (host) => {
        await hold(host);
        host.facts.offer = { ...ONE_WAY, version: '3.0.0' };
        await update(host);
      },
      ends: { version: '3.0.0', outcomes: ['superseded', 'committed'] },
    },
    {
      ...common,
      name: 'two bad versions, and a third one that cannot be had',
      since: 'held',
      play: async (host) => {
        await hold(host);
        host.facts.offer = null;
        await update(host);
      },
      ends: { version: 'held', outcomes: ['failed'] },
    },
    {
      ...common,
      name: 'three bad versions',
      since: 'held',
      play: async (host) => {
        await hold(host);
        host.facts.offer = { ...ONE_WAY, version: '3.0.0', trouble: 'fails-check' };
        await update(host);
      },
      ends: { version: 'held', outcomes: ['superseded'] },
    },
  ];
}
