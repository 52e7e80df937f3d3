import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { programPaths, statePaths } from '../../../shared/contract/state-paths.ts';
import { settleFolders } from '../../../supervisor/record/settle-folders.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';
import { RECORD } from '../core/update/fixture.ts';
import { recordingFiles } from './recording-files.ts';

describe('settleFolders', () => {
  test('makes durable what was done in each folder of an update, where it is there', (t) => {
    const root = makeTempFolder(t);
    const paths = { ...statePaths(join(root, 'state')), database: join(root, 'db', 'x.db') };
    mkdirSync(join(paths.backupsDir, RECORD.txn), { recursive: true });
    for (const name of ['bin', 'db']) mkdirSync(join(root, name));
    const { files, changes } = recordingFiles();
    settleFolders(paths, programPaths(join(root, 'bin', 'podup')), RECORD, files);
    assert.deepEqual(
      changes,
      ['state', 'data', 'backups', 'auto_update', RECORD.txn, 'db', 'bin'].map(
        (name) => `syncDirectory ${name}`,
      ),
    );
  });

  test('goes on where a folder cannot be synced: the record will show what ails the disk', (t) => {
    const root = makeTempFolder(t);
    mkdirSync(join(root, 'bin'));
    const { files, changes } = recordingFiles(1);
    const program = programPaths(join(root, 'bin', 'podup'));
    settleFolders(statePaths(root), program, RECORD, files);
    assert.deepEqual(changes.at(-1), 'syncDirectory bin');
    assert.ok(changes.length > 1);
  });
});
