import { programPaths, statePaths } from '../../shared/contract/state-paths.ts';

/** Program and state lie in different folders, so that their changes are independent. */
export const PATHS = statePaths('/state');
export const PROGRAM = programPaths('/bin/podup');
