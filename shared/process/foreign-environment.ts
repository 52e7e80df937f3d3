import { env } from 'node:process';
import { withoutSecrets } from '../contract/secret-variables.ts';

/**
 * What a program of others is given of this process's environment: podman, systemctl, ssh and their like need no secret of
 * ours, and an environment can be read by every process of the user for as long as they run.
 */
export function foreignEnvironment(): NodeJS.ProcessEnv {
  return withoutSecrets(env);
}
