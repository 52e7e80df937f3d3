/** The suffix of every unit that this program touches. */
const SUFFIX = '.service';
const VALID = /^[A-Za-z0-9_][A-Za-z0-9:_.@\\-]*\.service$/;

/**
 * Turns what an operator or a webhook URL calls a service (`web`, `web.service`, `app@1`) into a unit name.
 * At most 255 characters, systemd's own limit (systemd.unit(5)); never begins with `-`, so that it can never be read
 * as an option. Undefined for anything that is no service unit name, templates without an instance included.
 */
export function parseUnitName(raw: string): string | undefined {
  const trimmed = raw.trim();
  const name = trimmed.endsWith(SUFFIX) ? trimmed : `${trimmed}${SUFFIX}`;
  if (name.length > 255 || !VALID.test(name) || name.includes('@.')) return undefined;
  return name;
}
