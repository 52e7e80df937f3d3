import type { ErrorMeaning } from './error-meaning.ts';

/** The part of the closed list that is about updates of this program itself. */
export const UPDATE_ERRORS = {
  // Self-update: asking for one.
  UPDATE_UNAVAILABLE: {
    status: 409,
    sentence: 'This program cannot update itself here.',
    hint: 'Run the supervisor as the file that PODUP_TARGET_BIN names, in a folder that it may write.',
  },
  UPDATE_SUPERVISOR_UNREACHABLE: {
    status: 503,
    sentence: 'No supervisor answers.',
    hint: 'Start the service; only a supervisor can update the program.',
  },
  UPDATE_IN_PROGRESS: {
    status: 409,
    sentence: 'An update is open already.',
    hint: 'Wait for its end, or cancel it: self-update status shows it.',
  },
  UPDATE_NONE_OPEN: {
    status: 409,
    sentence: 'No update is open.',
    hint: 'Updates that are over stand in self-update history.',
  },
  UPDATE_TOO_LATE_TO_CANCEL: {
    status: 409,
    sentence: 'The program has been exchanged already, so the update cannot be cancelled.',
    hint: 'It commits or goes back by itself; self-update rollback undoes it afterwards.',
  },
  UPDATE_ON_HOLD: {
    status: 409,
    sentence: 'Updates are on hold.',
    hint: 'The detail says why; self-update resume ends the hold, --force passes over it once.',
  },
  UPDATE_RECORD_NEWER: {
    status: 409,
    sentence: 'The update record was written by a newer version of this program.',
    hint: 'Run that version; this one leaves the record alone and makes no update.',
  },
  UPDATE_VERSION_UNKNOWN: {
    status: 404,
    sentence: 'That version is not kept on this host.',
    hint: 'The versions that can be gone back to stand in self-update history.',
  },
  UPDATE_ROLLBACK_NEEDS_DATABASE: {
    status: 409,
    sentence: 'That version cannot run on the database as it is now.',
    hint: 'With --restore-database its own database is put back, and what was written since is lost.',
  },
  // Self-update: choosing and fetching a release.
  RELEASE_SOURCE_UNREACHABLE: {
    status: 502,
    sentence: 'The source of releases cannot be reached.',
    hint: 'Check network, PODUP_RELEASE_REPOSITORY and PODUP_RELEASE_BASE_URL.',
  },
  RELEASE_SOURCE_INVALID: {
    status: 502,
    sentence: 'The source of releases answered in a way that cannot be used.',
    hint: 'The detail says what was wrong.',
  },
  RELEASE_NOT_FOUND: {
    status: 502,
    sentence: 'There is no such release.',
    hint: 'Check PODUP_RELEASE_TAG and PODUP_RELEASE_CHANNEL, and that the release has a program for this platform.',
  },
  RELEASE_QUARANTINED: {
    status: 409,
    sentence: 'This release failed here before.',
    hint: 'Wait for another one, or take it on purpose with --force.',
  },
  RELEASE_DOWNGRADE: {
    status: 409,
    sentence: 'This release is older than what runs or ran here.',
    hint: 'To go back to a former version use self-update rollback; --force installs this release.',
  },
  RELEASE_UNSIGNED: {
    status: 502,
    sentence: 'The release carries no valid signature of a configured key.',
    hint: 'Compare PODUP_RELEASE_PUBLIC_KEYS with the keys of the publisher.',
  },
  RELEASE_MISMATCH: {
    status: 502,
    sentence: 'What was downloaded is not what the release says it is.',
    hint: 'Nothing was installed; a proxy in between or a half published release may be the cause.',
  },
  RELEASE_TOO_LARGE: {
    status: 502,
    sentence: 'The release is larger than it may be.',
    hint: 'Nothing was installed; the detail has both sizes.',
  },
  RELEASE_DOWNLOAD_FAILED: {
    status: 502,
    sentence: 'The release could not be downloaded.',
    hint: 'What has come is kept and continued at the next try.',
  },
  RELEASE_INCOMPATIBLE: {
    status: 502,
    sentence: 'The release does not fit this host.',
    hint: 'The detail says what it needs.',
  },
  RELEASE_SELF_CHECK_FAILED: {
    status: 502,
    sentence: 'The downloaded program did not pass its self-check, so it was not installed.',
    hint: 'The detail has the last lines that it printed.',
  },
  UPDATE_DISK_FULL: {
    status: 507,
    sentence: 'There is not enough room for the update.',
    hint: 'The detail says where and how much is needed; nothing was changed.',
  },
  // Self-update: carrying it out.
  UPDATE_CANCELLED: {
    status: 409,
    sentence: 'The update was cancelled before the program was exchanged.',
    hint: 'Nothing was changed.',
  },
  UPDATE_BUSY: {
    status: 409,
    sentence: 'Running tasks did not end in time, so the update was put off.',
    hint: 'Ask again later, or raise PODUP_SELF_UPDATE_IDLE_TIMEOUT_MS.',
  },
  UPDATE_STAGING_FAILED: {
    status: 500,
    sentence: 'Fetching and checking the release ended without a result.',
    hint: 'The detail shows how; nothing was changed.',
  },
  UPDATE_RECORD_UNWRITABLE: {
    status: 507,
    sentence: 'The update record could not be made durable.',
    hint: 'Check space and health of the disk of the state directory.',
  },
  UPDATE_BACKUP_FAILED: {
    status: 500,
    sentence: 'The database could not be backed up, so the program was not exchanged.',
    hint: 'The detail says why; check space and health of the disk.',
  },
  UPDATE_SWAP_FAILED: {
    status: 500,
    sentence: 'The program file could not be exchanged.',
    hint: 'Check permissions, space and health of the disk of the program.',
  },
  UPDATE_START_FAILED: {
    status: 500,
    sentence: 'The new version ended before it was proven.',
    hint: 'The log of the service at that time shows why.',
  },
  UPDATE_START_TIMEOUT: {
    status: 500,
    sentence: 'The new version did not become ready in time.',
    hint: 'Raise PODUP_SELF_UPDATE_START_TIMEOUT_MS if it only is slow here.',
  },
  UPDATE_WRONG_PROGRAM: {
    status: 500,
    sentence: 'What came up is not the program that was installed.',
    hint: 'Check what else writes to the file that PODUP_TARGET_BIN names.',
  },
  UPDATE_CONFIG_REJECTED: {
    status: 500,
    sentence: 'The new version refuses the configuration.',
    hint: 'Its log lines name each fault; mend the configuration, then run the update with --force.',
  },
  UPDATE_PROBE_FAILED: {
    status: 500,
    sentence: 'The new version did not answer as it should.',
    hint: 'The detail says what was seen.',
  },
  UPDATE_CHECK_FAILED: {
    status: 500,
    sentence: 'A check after the exchange failed with the new version but not with the old one.',
    hint: 'The detail names the check.',
  },
  UPDATE_SUPERVISOR_FAILED: {
    status: 500,
    sentence: 'The supervisor of the new version did not come up.',
    hint: 'The log of the service at that time shows why.',
  },
  UPDATE_LOOPING: {
    status: 500,
    sentence: 'The update took more steps than any update needs.',
    hint: 'It was ended to keep it from going round for ever; please report it with the history.',
  },
  UPDATE_ROLLBACK_FAILED: {
    status: 500,
    sentence: 'The old version could not be put back.',
    hint: 'The detail says why. Webhooks are accepted; repair it, then self-update resume.',
  },
  UPDATE_RESTORE_FAILED: {
    status: 500,
    sentence: 'The database of the old version could not be put back.',
    hint: 'The detail says why; the backup and the failed database are kept in data/backups/auto_update.',
  },
} as const satisfies Record<string, ErrorMeaning>;
