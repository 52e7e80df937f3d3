/** A time as people read it: `2026-01-31 12:00:00Z`. */
export function formatTime(iso: string): string {
  return `${iso.slice(0, 19).replace('T', ' ')}Z`;
}
