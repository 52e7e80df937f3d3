import { flag, list, nullable, oneOf, type ReadBy, shape, text, whole } from './read-shape.ts';
import { digestText } from './release.ts';
import { failureShape } from './update-request.ts';

/**
 * Short-lived children of the supervisor do what it must not load: SQLite, TLS. Each prints one JSON object and exits
 * with 0; anything else is a failure.
 */
const backupAnswer = shape({
  /** `none`: there is no database. */
  kind: oneOf(['copy', 'none']),
  sha256: nullable(digestText),
  bytes: whole(),
  schema: nullable(whole()),
});

/** `db-backup FILE`: the database copied to FILE, checked and synced. */
export const parseBackupAnswer = backupAnswer;
export type BackupAnswer = ReadBy<typeof backupAnswer>;

const inspectAnswer = shape({
  exists: flag,
  schema: nullable(whole()),
  /** Whether this program may run on it, by what the migrations say of older programs. */
  compatible: flag,
  /** `quick_check` found nothing wrong. */
  sound: flag,
  detail: text(2000),
});

/** `db-inspect [FILE]`: what this program makes of the database. */
export const parseInspectAnswer = inspectAnswer;
export type InspectAnswer = ReadBy<typeof inspectAnswer>;

const checkAnswer = shape({
  version: text(100),
  digest: digestText,
  checks: list(
    shape({
      name: oneOf(['own-files', 'database', 'release-source', 'registry']),
      /** Null: well. */
      failure: nullable(failureShape),
    }),
    100,
  ),
});

/** `post-update-check`: whether the installed program finds all well, each part by itself. */
export const parseCheckAnswer = checkAnswer;
export type CheckAnswer = ReadBy<typeof checkAnswer>;

const selfCheckAnswer = shape({
  version: text(100),
  commit: text(100),
  digest: digestText,
  /** The newest migration it knows. */
  schema: whole(),
  /** The newest format of the update record that it reads. */
  record: whole(1),
  platform: text(100),
});

/** `--self-check`: a candidate has loaded everything it is made of and can open a database. */
export const parseSelfCheckAnswer = selfCheckAnswer;
export type SelfCheckAnswer = ReadBy<typeof selfCheckAnswer>;
