import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { policyDefaults } from '../../app/domain/unit-policy.ts';
import { sweepUnits } from '../../app/units/sweep-units.ts';
import { DEPLOY_SETTINGS } from '../helpers/deploy-settings.ts';
import { RemoteLab } from './remote-fixture.ts';

const signal = new AbortController().signal;
let remote: RemoteLab;

/** What each place over there shows, as `SOURCE unit image marks fault`. */
async function look(): Promise<readonly string[]> {
  const defaults = policyDefaults(DEPLOY_SETTINGS);
  const { sweep } = await sweepUnits({ host: remote.host, defaults, signal });
  return Object.entries(sweep).flatMap(([source, came]) => {
    assert.ok(came.ok, JSON.stringify(came));
    return came.value
      .filter(({ unit }) => !unit.startsWith('podman-'))
      .map(({ unit, image, isAutoUpdated, webhookEnabled, fault }) => {
        const marks = `${isAutoUpdated ? 'a' : ''}${webhookEnabled ? 'y' : ''}`;
        return [source, unit, image ?? '-', marks, fault ?? ''].join(' ').trimEnd();
      });
  });
}

describe('units of another host', () => {
  before(async () => {
    remote = await RemoteLab.start();
  });
  after(() => remote.close());

  test('are found in its folders, by one command, with links, drop-ins and odd names', async () => {
    await remote.sh(`q=$HOME/.config/containers/systemd u=$HOME/.config/systemd/user
mkdir -p "$q/below it" "$q/web.container.d" "$u/hand.service.d" "$u/multi-user.target.wants" "$HOME/else"
printf '[Container]\\nImage=ghcr.io/o/web:1\\n' >"$q/web.container"
printf '[Container]\\nAutoUpdate=registry\\n' >"$q/web.container.d/10 é.conf"
printf '[Container]\\nImage=ghcr.io/o/deep:1' >"$q/below it/deep.container"
printf '[Container]\\nImage=ghcr.io/o/hidden:1\\n' >"$q/below it/masked.container"
ln -s /dev/null "$q/masked.container"
printf '[Container]\\nImage=ghcr.io/o/far:1\\n' >"$HOME/else/far.container"
ln -s "$HOME/else" "$q/more"
ln -s ../more "$HOME/else/round"
printf '[Container]\\nImage=ghcr.io/o/app:1\\n' >"$q/app@.container"
ln -s app@.container "$q/app@1.container"
head -c 300000 /dev/zero | tr '\\0' x >"$q/big.container"
printf '[Container]\\nImage=x\\n' >"$q/shut.container"; chmod 0 "$q/shut.container"
printf '[Service]\\nExecStart=/usr/bin/podman run ghcr.io/o/hand:1\\n' >"$u/hand.service"
printf '[Unit]\\nX-Webhook-Enabled=yes\\n' >"$u/hand.service.d/1.conf"
ln -s hand.service "$u/nick.service"
ln -s ../hand.service "$u/multi-user.target.wants/other.service"`);
    const seen = await look();
    assert.deepEqual(
      seen.filter((line) => line.startsWith('quadlet')),
      [
        'quadlet app@.service ghcr.io/o/app:1',
        'quadlet app@1.service ghcr.io/o/app:1',
        'quadlet big.service -  It is larger than 256 KiB.',
        'quadlet shut.service -  It cannot be read (EACCES).',
        'quadlet web.service ghcr.io/o/web:1 a',
        'quadlet deep.service ghcr.io/o/deep:1',
        'quadlet far.service ghcr.io/o/far:1',
      ],
    );
    assert.deepEqual(
      seen.filter((line) => line.startsWith('unit-file') && !line.includes('lab-')),
      ['unit-file hand.service ghcr.io/o/hand:1 y'],
    );
  });

  test('are found by a container that runs there', async () => {
    await remote.push('app:stable', 'v1');
    await remote.startUnit('app', 8181);
    await remote.untilServed(8181, 'v1');
    const seen = await look();
    const places = seen
      .filter((line) => line.includes(' app.service '))
      .map((line) => line.split(' ')[0]);
    assert.ok(places.includes('podman') && places.includes('unit-file'), places.join());
  });
});
