/** When the statements of a table are prepared: with all others, or once it is asked for. */
export type Preparing = 'at-once' | 'when-used';

type Tables<Openers> = { readonly [Name in keyof Openers]: Opened<Openers[Name]> };
type Opened<Opener> = Opener extends () => infer Table ? Table : never;

/**
 * The tables of a database by their names. `when-used` is for a process that lives for seconds and needs a few of them: it
 * hears then, and not when it begins, that the schema is not what it should be.
 */
export function openTables<Openers extends Readonly<Record<string, () => unknown>>>(
  openers: Openers,
  preparing: Preparing,
): Tables<Openers> {
  const tables = {};
  for (const [name, open] of Object.entries(openers)) {
    const value = () => ({ value: open(), enumerable: true });
    if (preparing === 'at-once') {
      Object.defineProperty(tables, name, value());
      continue;
    }
    const get = () => {
      const opened = value();
      Object.defineProperty(tables, name, opened);
      return opened.value;
    };
    Object.defineProperty(tables, name, { get, enumerable: true, configurable: true });
  }
  return tables as Tables<Openers>;
}
