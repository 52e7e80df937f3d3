import type { UpdateState } from '../../shared/contract/update-record.ts';
import { escapeHtml } from '../http/escape-html.ts';
import { pagePolicy } from '../http/guard-answers.ts';

/** The open update, as far as a stranger may know; null where none is open. */
export type Maintenance = {
  readonly state: UpdateState;
  readonly from: string;
  /** Null until a release is chosen. */
  readonly to: string | null;
} | null;

/** How soon to ask again, in seconds. */
export const RETRY_AFTER_S = 10;

const STYLE = `:root { color-scheme: light dark; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; font: 1.1rem/1.6 system-ui, sans-serif; }
main { max-width: 34rem; padding: 2rem; }
h1 { font-size: 1.5rem; margin: 0 0 1rem; }
p { margin: 0 0 0.75rem; overflow-wrap: anywhere; }`;

/** What the page may load: its own style, and nothing else from anywhere. */
export const PAGE_POLICY = pagePolicy(STYLE);

/** What is going on, for people and for programs. */
export function describeMaintenance(maintenance: Maintenance): string {
  if (!maintenance) return 'The service is being started or repaired.';
  const { state, from, to } = maintenance;
  const change = to === null ? `of version ${from}` : `from version ${from} to ${to}`;
  switch (state) {
    case 'held':
      return `The update ${change} failed, and version ${from} does not run either. Somebody has to look at the host.`;
    case 'rolling-back':
    case 'rolled-back':
      return `The update ${change} failed; version ${from} is being put back.`;
    default:
      return `An update ${change} is under way.`;
  }
}

/** A page that needs nothing but itself, in light or dark as the reader likes it, and that looks again by itself. */
export function maintenancePage(maintenance: Maintenance): string {
  const title = maintenance?.state === 'held' ? 'Under repair' : 'Back in a moment';
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="${RETRY_AFTER_S}">
<title>${title} – pod-upgrade-trigger</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${title}</h1>
<p>${escapeHtml(describeMaintenance(maintenance))}</p>
<p>Webhooks are accepted meanwhile and worked on afterwards: none is lost, nothing has to be sent again.</p>
<p>This page looks again every ${RETRY_AFTER_S} seconds.</p>
</main>
</body>
</html>
`;
}
