import { SETTINGS } from './settings.ts';

/**
 * Settings under which no job of the schedule begins by itself: for a process that begins none, and need not find out when
 * each would come.
 */
export const NO_CLOCK: Readonly<Record<string, string>> = Object.fromEntries(
  Object.values(SETTINGS)
    .filter((setting) => setting.variable.endsWith('_CRON') && 'fallback' in setting)
    .map(({ variable }) => [variable, 'off']),
);
