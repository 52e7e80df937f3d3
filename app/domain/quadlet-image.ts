/**
 * The text of a Quadlet file (podman-systemd.unit(5)) with another image: the last `Image=` of its `[Container]` sections,
 * which is the one that counts, and nothing else is changed. Undefined where there is none that can be replaced as a
 * line of its own.
 */
export function replaceQuadletImage(text: string, image: string): string | undefined {
  const lines = text.split('\n');
  let section = '';
  let at = -1;
  for (const [index, line] of lines.entries()) {
    const trimmed = line.trim();
    if (trimmed.startsWith('[')) section = trimmed;
    const isContinued = /\\\s*$/.test(lines[index - 1] ?? '');
    if (section === '[Container]' && /^Image\s*=/.test(trimmed) && !isContinued) at = index;
  }
  const found = lines[at];
  if (found === undefined || /\\\s*$/.test(found)) return undefined;
  const end = found.endsWith('\r') ? '\r' : '';
  lines[at] = `Image=${image}${end}`;
  return lines.join('\n');
}
