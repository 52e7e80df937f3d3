/** Where everything lies below the state directory. Absolute paths. */
export type StatePaths = {
  readonly stateDir: string;
  readonly dataDir: string;
  readonly database: string;
  readonly intakeDir: string;
  /** Held locked by the one supervisor. */
  readonly supervisorLock: string;
  /** Held locked by the one worker. */
  readonly workerLock: string;
  /** Where the worker listens to the command line of its own user. */
  readonly serviceSocket: string;
  /** Held locked by whoever dispatches tasks where there is no worker. */
  readonly dispatchLock: string;
  /** There exactly while an update is open. */
  readonly updateRecord: string;
  /** Requests to the supervisor of whoever has no channel to it. */
  readonly updateRequest: string;
  /** The supervisor's answers, `ID.json`; the newest fifty stay. */
  readonly updateAnswersDir: string;
  readonly updateHistory: string;
  readonly quarantine: string;
  readonly updatePolicy: string;
  /** One folder an update: the database and the program before it. */
  readonly backupsDir: string;
  /** Backups of the database alone, made on a schedule or by a person. */
  readonly databaseBackupsDir: string;
  /** What units say for themselves, for who takes webhooks without the database. */
  readonly foundUnits: string;
  /** The hooks, their secrets as the database has them, for the same. */
  readonly standbyHooks: string;
  /** By what secrets of hooks are sealed; in no backup. */
  readonly hookKey: string;
  readonly reportsDir: string;
  /** The beginning of the last webhook body with a bad signature. */
  readonly lastPayload: string;
};

/** The layout of a state directory. */
export function statePaths(stateDir: string): StatePaths {
  const dataDir = `${stateDir}/data`;
  return {
    stateDir,
    dataDir,
    database: `${dataDir}/pod-upgrade-trigger.db`,
    intakeDir: `${stateDir}/intake`,
    supervisorLock: `${dataDir}/supervisor.lock`,
    workerLock: `${dataDir}/worker.lock`,
    serviceSocket: `${dataDir}/service.sock`,
    dispatchLock: `${dataDir}/dispatch.lock`,
    updateRecord: `${dataDir}/UPDATE_LOCK.json`,
    updateRequest: `${dataDir}/update-request.json`,
    updateAnswersDir: `${dataDir}/update-answers`,
    updateHistory: `${dataDir}/update-history.jsonl`,
    quarantine: `${dataDir}/quarantine.json`,
    updatePolicy: `${dataDir}/update-policy.json`,
    backupsDir: `${dataDir}/backups/auto_update`,
    databaseBackupsDir: `${dataDir}/backups/database`,
    foundUnits: `${dataDir}/found-units.json`,
    standbyHooks: `${dataDir}/hooks.json`,
    hookKey: `${dataDir}/hook.key`,
    reportsDir: `${stateDir}/self-update-reports`,
    lastPayload: `${stateDir}/last_payload.bin`,
  };
}

/** The files beside the program, `TARGET_BIN`. */
export type ProgramPaths = {
  /** What is started. */
  readonly target: string;
  /** The next one, whole and verified. */
  readonly staged: string;
  /** The next one while it is being downloaded. */
  readonly partial: string;
  /** The one before. */
  readonly old: string;
  /** How often the launcher may still start `target` before it takes `old`; there only during an update. */
  readonly tries: string;
};

/** The files beside the program at `target`. */
export function programPaths(target: string): ProgramPaths {
  return {
    target,
    staged: `${target}.new`,
    partial: `${target}.partial`,
    old: `${target}.old`,
    tries: `${target}.tries`,
  };
}
