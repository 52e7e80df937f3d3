import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { recordedDeliveries, startClients } from '../helpers/clients.ts';
import { ADMIN_TOKEN, Installation, WEBHOOK_SECRET } from '../helpers/installation.ts';
import { command } from '../helpers/lab.ts';
import { until } from '../helpers/until.ts';

const UNIT = 'pod-upgrade-trigger-release.service';
const ADDRESS = '127.0.0.1:25111';
const PATIENCE_MS = 60_000;
const root = join(import.meta.dirname, '../..');
const home = process.env['HOME'] ?? '';

const show = (property: string) =>
  command('systemctl', '--user', 'show', UNIT, '--value', `--property=${property}`).trim();
const mainPid = () => Number(show('MainPID'));

async function version(): Promise<unknown> {
  const answer = await fetch(`http://${ADDRESS}/health/self`);
  return ((await answer.json()) as { version?: string }).version;
}

const serves = (wanted: string) =>
  until(`version ${wanted} serves`, PATIENCE_MS, async () =>
    (await version().catch(() => undefined)) === wanted ? true : undefined,
  );

/** Puts the unit, the launcher and its environment where the README says. */
function install(installation: Installation): void {
  const units = join(home, '.config/systemd/user');
  const config = join(home, '.config/pod-upgrade-trigger');
  const library = join(home, '.local/lib/pod-upgrade-trigger');
  for (const folder of [units, config, library]) mkdirSync(folder, { recursive: true });
  copyFileSync(join(root, 'systemd', UNIT), join(units, UNIT));
  copyFileSync(join(root, 'scripts/launch.sh'), join(library, 'launch.sh'));
  const { program, paths, releasesDir } = installation;
  const environment = {
    PODUP_TARGET_BIN: program.target,
    PODUP_STATE_DIR: paths.stateDir,
    PODUP_RELEASE_BASE_URL: releasesDir,
    PODUP_TOKEN: ADMIN_TOKEN,
    PODUP_GH_WEBHOOK_SECRET: WEBHOOK_SECRET,
    PODUP_SELF_UPDATE_SOAK_MS: '500',
  };
  const lines = Object.entries(environment).map(([name, value]) => `${name}="${value}"\n`);
  writeFileSync(join(config, 'env'), lines.join(''), { mode: 0o600 });
  command('systemctl', '--user', 'daemon-reload');
}

describe('under the user manager of systemd', () => {
  let installation: Installation;
  let generation = 1;
  const offer = (release: Parameters<Installation['offer']>[0]) =>
    installation.offer({ generation: ++generation, ...release });

  before(async () => {
    installation = await Installation.make();
    install(installation);
    command('systemctl', '--user', 'start', UNIT);
    await serves('1.0.0');
  });
  after(async () => {
    command('systemctl', '--user', 'stop', UNIT);
    await installation[Symbol.asyncDispose]();
  });

  test('an update commits: same main process, no request failed, every delivery once', async () => {
    const pid = mainPid();
    const { tally, stop } = startClients({ address: ADDRESS }, 8);
    await offer({ version: '1.1.0' });
    const { outcome } = await installation.update();
    await stop();
    assert.equal(outcome, 'committed');
    assert.equal(await version(), '1.1.0');
    assert.equal(mainPid(), pid);
    assert.equal(show('NRestarts'), '0');
    assert.deepEqual([...tally.errors], []);
    const recorded = await until('the deliveries are recorded', PATIENCE_MS, () => {
      const counts = recordedDeliveries(installation.paths.stateDir);
      return tally.acknowledged.every((delivery) => counts.has(delivery)) ? counts : undefined;
    });
    assert.ok(tally.acknowledged.every((delivery) => recorded.get(delivery) === 1));
  });

  test('a version that does not start is rolled back without a restart of the unit', async () => {
    const pid = mainPid();
    await offer({ version: '1.2.0', break: 'crash-at-start' });
    const { outcome, failure } = await installation.update();
    assert.deepEqual([outcome, failure?.code], ['rolled-back', 'UPDATE_START_FAILED']);
    assert.equal(await version(), '1.1.0');
    assert.equal(mainPid(), pid);
  });

  test('a new supervisor that does not come up leaves the old one to the launcher', async () => {
    await offer({ version: '1.3.0', break: 'supervisor-throws' });
    const { outcome, failure } = await installation.update();
    assert.deepEqual([outcome, failure?.code], ['rolled-back', 'UPDATE_SUPERVISOR_FAILED']);
    await serves('1.1.0');
    assert.equal(show('ActiveState'), 'active');
  });

  test('two bad releases in a row put updates on hold until a person resumes', async () => {
    await offer({ version: '1.4.0' });
    const refused = await installation.ask({ command: 'run', trigger: 'cron' });
    assert.equal(refused.failure?.code, 'UPDATE_ON_HOLD');
    assert.equal((await installation.ask({ command: 'resume' })).failure, null);
    const { outcome } = await installation.update({ trigger: 'cron' });
    assert.equal(outcome, 'committed');
    assert.equal(await version(), '1.4.0');
  });

  test('kill -9 of the supervisor in mid trial ends in one of the two versions', async () => {
    await offer({ version: '1.5.0' });
    const { txn } = await installation.ask({ command: 'run' });
    await until('the trial', PATIENCE_MS, () =>
      readRecord(installation).includes('"state":"trial"') ? true : undefined,
    );
    process.kill(mainPid(), 'SIGKILL');
    const { outcome } = await installation.finished(txn ?? '');
    assert.ok(['committed', 'rolled-back'].includes(outcome), outcome);
    await serves(outcome === 'committed' ? '1.5.0' : '1.4.0');
  });

  test('a stop of the unit ends everything, and a start goes on from the record', async () => {
    await offer({ version: '1.6.0' });
    const { txn } = await installation.ask({ command: 'run' });
    await until('the trial', PATIENCE_MS, () =>
      readRecord(installation).includes('"state":"trial"') ? true : undefined,
    );
    command('systemctl', '--user', 'stop', UNIT);
    assert.match(readRecord(installation), /"state":"trial"/);
    command('systemctl', '--user', 'start', UNIT);
    const { outcome } = await installation.finished(txn ?? '');
    assert.equal(outcome, 'committed');
    await serves('1.6.0');
  });
});

function readRecord({ paths }: Installation): string {
  try {
    return readFileSync(paths.updateRecord, 'utf8');
  } catch {
    return '';
  }
}
