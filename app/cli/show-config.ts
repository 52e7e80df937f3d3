import { EXIT, type ExitCode } from '../../shared/contract/exit-codes.ts';
import type { SettingsView } from '../api/info-views.ts';
import type { Calling } from './call-note.ts';
import { callService } from './call-service.ts';
import { print, printJson } from './output/say.ts';
import { findScreen } from './output/screen.ts';
import { formatTable } from './output/table.ts';

/** Options of `config show`. */
export type ConfigOptions = { readonly changed?: boolean; readonly json?: boolean };

const HEAD = ['VARIABLE', 'VALUE', 'FROM'];

/** `config show`: the settings of the running service, or where none runs those that one would have here. */
export async function showConfig(
  { changed, json }: ConfigOptions,
  calling: Calling,
): Promise<ExitCode> {
  const answer = await callService(calling, { path: '/api/settings' });
  if (!answer.isGood) return answer.exit;
  const { settings, warnings, env } = answer.body as SettingsView;
  const shown = settings.filter(({ configured }) => configured || !changed);
  if (json) {
    printJson({ state_dir: env.PODUP_STATE_DIR, settings: shown, warnings });
    return EXIT.ok;
  }
  print(formatTable(shown.map(toRow), { head: HEAD, screen: findScreen() }));
  print(`State: ${env.PODUP_STATE_DIR}`);
  for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`);
  return EXIT.ok;
}

function toRow({ variable, value, configured, secret, from }: SettingsView['settings'][number]) {
  const said = secret && configured ? 'set' : (value ?? 'unset');
  return [variable, said, from ?? (value === null ? '' : 'default')];
}
