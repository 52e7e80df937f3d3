import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { OpenDeployment } from '../../../app/domain/deployment.ts';
import { type CutOff, describeCutOff } from '../../../app/domain/force-stop.ts';

const OPEN: OpenDeployment = {
  unit: 'web.service',
  image: 'ghcr.io/o/web:main',
  wanted_digest: 'sha256:new',
  wanted_image_id: null,
  restart_unit: null,
  write_image: null,
  is_brought: 0,
  former_image_id: 'i1',
  former_digest: 'sha256:old',
  held_as: 'localhost/podup/rollback:web.service-1',
  dependents: [],
  stage: 'forward',
  cause_code: null,
  cause_detail: null,
};
const CUT: CutOff = {
  ...{ unit: 'web.service', status: 'running', phase: 'restarting' },
  ...{ deployment: OPEN, target: undefined },
};

const CASES: readonly [title: string, over: Partial<CutOff>, text: string][] = [
  [
    'before it began',
    { status: 'pending', phase: 'queued', deployment: undefined, target: 'host' },
    'web.service was not touched: the task was force-stopped before it began.',
  ],
  [
    'before the unit is touched',
    { phase: 'pulling-image', deployment: undefined },
    'web.service was not restarted: the task was force-stopped in phase pulling-image.',
  ],
  [
    'on the way to the new image',
    {},
    'The task was force-stopped in phase restarting, while web.service was being brought to ghcr.io/o/web:main (sha256:new). The unit may be down, or run either image; nothing was done about that. What it can go back to is held: pod-upgrade-trigger deploy web.service --to localhost/podup/rollback:web.service-1 brings it back.',
  ],
  [
    'on the way back, with others that were active, at another host',
    {
      phase: 'rolling-back',
      deployment: { ...OPEN, stage: 'back', dependents: ['a.service', 'b.service'] },
      target: 'ssh://core@host',
    },
    'The task was force-stopped in phase rolling-back, while web.service was being put back to sha256:old. The unit may be down, or run either image; nothing was done about that. What it can go back to is held: pod-upgrade-trigger deploy web.service --to localhost/podup/rollback:web.service-1 brings it back. Active before were also: a.service, b.service. What was under way at ssh://core@host ends with its connection.',
  ],
  [
    'with nothing to go back to',
    { deployment: { ...OPEN, held_as: null } },
    'The task was force-stopped in phase restarting, while web.service was being brought to ghcr.io/o/web:main (sha256:new). The unit may be down, or run either image; nothing was done about that. No earlier image is held for it.',
  ],
];

describe('a task that is killed', () => {
  for (const [title, over, text] of CASES)
    test(`${title} says what that may have left`, () => {
      assert.equal(describeCutOff({ ...CUT, ...over }), text);
    });
});
