/** One line `Key=value` of a unit file. The value is trimmed; the key is empty where the line assigns nothing. */
export type Assignment = { readonly key: string; readonly value: string };

/**
 * What a unit file (systemd.syntax(7)) assigns in one section, in the order of the lines. The name of the section is
 * case-sensitive; a section may come several times. Other sections are passed over unread.
 */
export function readSection(text: string, section: string): readonly Assignment[] {
  const assignments: Assignment[] = [];
  let current = '';
  for (const line of joinLines(text)) {
    if (line.startsWith('[')) current = line.replaceAll(/^\[|\]$/g, '');
    else if (current === section && line !== '') assignments.push(readAssignment(line));
  }
  return assignments;
}

/** A backslash at the end that is not the second of a pair. */
const CONTINUED = /(?<!\\)(?:\\\\)*\\$/;

/** The lines without comments, each with those that continue it, trimmed. */
function* joinLines(text: string): Generator<string> {
  let begun = '';
  for (const line of text.split(/\r?\n/)) {
    // As in systemd, a comment does not end the line that it interrupts.
    if (/^[#;]/.test(line.trimStart())) continue;
    if (CONTINUED.test(line)) {
      begun += `${line.slice(0, -1)} `;
      continue;
    }
    yield `${begun}${line}`.trim();
    begun = '';
  }
  yield begun.trim();
}

function readAssignment(line: string): Assignment {
  const at = line.indexOf('=');
  if (at < 0) return { key: '', value: '' };
  return { key: line.slice(0, at).trimEnd(), value: line.slice(at + 1).trimStart() };
}
