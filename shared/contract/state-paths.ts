/** Where everything lies below the state directory. Absolute paths. */
export type StatePaths = {
  readonly stateDir: string;
  readonly dataDir: string;
  readonly database: string;
  readonly intakeDir: string;
};

/** The layout of a state directory. */
export function statePaths(stateDir: string): StatePaths {
  return {
    stateDir,
    dataDir: `${stateDir}/data`,
    database: `${stateDir}/data/pod-upgrade-trigger.db`,
    intakeDir: `${stateDir}/intake`,
  };
}
