/** What is going on, as far as a stranger may know. */
export type Maintenance = {
  /** From which version to which; null where no update is open. */
  readonly update: { readonly from: string; readonly to: string | null } | null;
};

/** How soon to ask again, in seconds. */
export const RETRY_AFTER_S = 10;

/** One sentence for people and for programs. */
export function describeMaintenance({ update }: Maintenance): string {
  if (!update) return 'It is being started or repaired.';
  return update.to === null
    ? `Version ${update.from} is being updated.`
    : `It is being updated from ${update.from} to ${update.to}.`;
}

/** A page that needs nothing but itself, in light or dark as the reader likes it, and that looks again by itself. */
export function maintenancePage(maintenance: Maintenance): string {
  const what = escapeHtml(describeMaintenance(maintenance));
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="${RETRY_AFTER_S}">
<title>Back in a moment: pod-upgrade-trigger</title>
<style>
:root { color-scheme: light dark; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; font: 1.1rem/1.6 system-ui, sans-serif; }
main { max-width: 34rem; padding: 2rem; }
h1 { font-size: 1.5rem; margin: 0 0 1rem; }
p { margin: 0 0 0.75rem; }
</style>
</head>
<body>
<main role="status">
<h1>pod-upgrade-trigger is back in a moment</h1>
<p>${what}</p>
<p>Webhooks are accepted all the while and lost by no one. This page looks again every ${RETRY_AFTER_S} seconds.</p>
</main>
</body>
</html>
`;
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
