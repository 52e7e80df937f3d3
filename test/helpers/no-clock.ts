import { SETTINGS } from '../../shared/config/settings.ts';

/**
 * Settings under which nothing begins by itself, however long a test runs and whatever the hour is: a task of the schedule
 * would be taken for one of the test.
 */
export const NO_CLOCK: Readonly<Record<string, string>> = Object.fromEntries(
  Object.values(SETTINGS)
    .filter((setting) => setting.variable.endsWith('_CRON') && 'fallback' in setting)
    .map(({ variable }) => [variable, 'off']),
);
