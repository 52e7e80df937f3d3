/** `-e NAME=value`, `--env NAME=value`, `--env=NAME=value`, as a command line shows them. */
const VARIABLE =
  /((?:^|[\s"'])(?:-[dit]*e|--env)(?:[ =]|["'], ?["'])?["']?[A-Za-z_][A-Za-z0-9_.-]*=)("[^"\n]*"|'[^'\n]*'|[^\s"']+)/g;

/**
 * Hides the values of variables in a command line that is shown to people: `systemctl status` prints the start command
 * of a unit, which may set passwords for its container. Best effort: what is no such option is not taken for a secret.
 */
export function maskVariables(text: string): string {
  return text.replaceAll(VARIABLE, '$1[masked]');
}
