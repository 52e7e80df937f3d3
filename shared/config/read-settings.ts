import { DEPRECATED_NAMES, SETTINGS, type SettingKey, type Settings } from './settings.ts';

/** Reads a small text file; throws where it cannot. Handed in, so that reading settings stays testable. */
export type ReadText = (path: string) => string;

/** Where the value of a setting comes from, and its text; of a secret it is not kept. */
export type GivenSetting = {
  readonly variable: string;
  /** The variable (an older name, too), `NAME_FILE`, or `credential NAME`; null: nobody has set it. */
  readonly from: string | null;
  /** What was given, else what stands for it; null where there is nothing, or it is secret. */
  readonly text: string | null;
  readonly isSecret: boolean;
};

/** The settings with what was odd but harmless, or every fault at once, one sentence each. */
export type SettingsReading =
  | {
      readonly ok: true;
      readonly settings: Settings;
      readonly warnings: readonly string[];
      readonly given: readonly GivenSetting[];
    }
  | { readonly ok: false; readonly faults: readonly string[] };

type Source = { readonly text: string; readonly from: string } | undefined;

/**
 * Reads every setting from the environment, from `*_FILE` files and from systemd credentials. Never throws: faults
 * are collected so that all are seen at once. Values of secrets never stand in a fault.
 */
export function readSettings(environment: NodeJS.ProcessEnv, readText: ReadText): SettingsReading {
  const faults: string[] = [];
  const warnings: string[] = [];
  const values: Record<string, unknown> = {};
  const given: GivenSetting[] = [];
  for (const key of Object.keys(SETTINGS) as SettingKey[]) {
    const setting = SETTINGS[key];
    const source = findSource(setting.variable, 'secret' in setting, environment, readText, faults);
    if (source && source.from !== setting.variable && source.from in DEPRECATED_NAMES) {
      warnings.push(`${source.from} is deprecated; set ${setting.variable} instead.`);
    }
    const text = source?.text ?? ('fallback' in setting ? setting.fallback : undefined);
    given.push(showGiven(setting, source?.from, text));
    if (text === undefined) continue;
    const result = setting.schema.safeParse(text);
    if (result.success) values[key] = result.data;
    else faults.push(formatFault(setting, source));
  }
  warnings.push(...unknownNames(environment));
  if (faults.length > 0) return { ok: false, faults };
  return { ok: true, settings: values as Settings, warnings, given };
}

function showGiven(
  { variable, secret }: { readonly variable: string; readonly secret?: true },
  from: string | undefined,
  text: string | undefined,
): GivenSetting {
  const isSecret = secret === true;
  return { variable, from: from ?? null, text: isSecret ? null : (text ?? null), isSecret };
}

function formatFault(
  setting: { variable: string; allowed: string; secret?: true },
  source: Source,
): string {
  const name = source?.from ?? setting.variable;
  const given = setting.secret
    ? 'the given value'
    : JSON.stringify(source?.text.slice(0, 200) ?? '');
  return `${name}: ${given} is not allowed; allowed: ${setting.allowed}.`;
}

function findSource(
  variable: string,
  secret: boolean,
  environment: NodeJS.ProcessEnv,
  readText: ReadText,
  faults: string[],
): Source {
  const direct = environment[variable];
  const found: Source[] = [];
  if (direct !== undefined && direct !== '') found.push({ text: direct, from: variable });
  if (secret) found.push(...secretFiles(variable, environment, readText, faults));
  if (found.length > 1 && environment[`${variable}_FILE`]) {
    if (direct) faults.push(`${variable}: set it or ${variable}_FILE, not both.`);
  }
  if (found.length > 0) return found[0];
  for (const [older, current] of Object.entries(DEPRECATED_NAMES)) {
    const text = environment[older];
    if (current === variable && text !== undefined && text !== '') return { text, from: older };
  }
  return undefined;
}

function secretFiles(
  variable: string,
  environment: NodeJS.ProcessEnv,
  readText: ReadText,
  faults: string[],
): Source[] {
  const found: Source[] = [];
  const named = environment[`${variable}_FILE`];
  if (named) {
    try {
      found.push({ text: readText(named).trim(), from: `${variable}_FILE` });
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? 'unreadable';
      faults.push(
        `${variable}_FILE: ${JSON.stringify(named)} cannot be read (${code}); allowed: a readable text file.`,
      );
    }
  }
  const credentials = environment['CREDENTIALS_DIRECTORY'];
  if (credentials) {
    try {
      found.push({
        text: readText(`${credentials}/${variable}`).trim(),
        from: `credential ${variable}`,
      });
    } catch {
      // No such credential was passed to the service: not a fault.
    }
  }
  return found;
}

function unknownNames(environment: NodeJS.ProcessEnv): string[] {
  const known = Object.values(SETTINGS).flatMap((setting) =>
    'secret' in setting ? [setting.variable, `${setting.variable}_FILE`] : [setting.variable],
  ) as string[];
  return (
    Object.keys(environment)
      .filter((name) => name.startsWith('PODUP_') && !known.includes(name))
      // Of an older name is said what stands in its place.
      .filter((name) => !(name in DEPRECATED_NAMES))
      .map((name) => `${name} is not a known setting; did you mean ${nearest(name, known)}?`)
  );
}

function nearest(name: string, known: readonly string[]): string {
  const byDistance = known.map((other) => ({ other, distance: editDistance(name, other) }));
  byDistance.sort((a, b) => a.distance - b.distance);
  return byDistance[0]?.other ?? '';
}

/** Levenshtein's distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
