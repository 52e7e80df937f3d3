import { loadSettings } from '../../../shared/config/load-settings.ts';
import { EXIT, type ExitCode } from '../../../shared/contract/exit-codes.ts';
import { openHost } from '../../host/open-host.ts';
import { print, printJson, sayFailure } from '../output/say.ts';
import { findScreen, type Screen, type Tone } from '../output/screen.ts';
import { printFaults } from '../print-faults.ts';
import { askHealth } from '../service/ask-health.ts';
import { type Diagnosis, diagnose } from './diagnose.ts';

const TONES: Readonly<Record<Diagnosis['status'], Tone>> = {
  ok: 'good',
  warning: 'busy',
  error: 'bad',
};

/**
 * `doctor`: everything that this program needs of its host, its settings and its state, with what mends what is wrong;
 * whether a service runs or not. Ends with 1 where there is an error, with 0 where there are warnings only.
 */
export async function doctor(
  { json }: { readonly json?: boolean },
  environment: NodeJS.ProcessEnv,
): Promise<ExitCode> {
  const result = loadSettings(environment);
  if (!result.ok) {
    const { faults } = result;
    if (json) printJson({ ok: false, service: null, faults, checks: [] });
    printFaults(faults);
    return EXIT.configInvalid;
  }
  const { loaded } = result;
  const host = openHost(loaded.settings, environment);
  if (!host.ok) return sayFailure(host.failure, json);
  const service = await askHealth(loaded.paths);
  const checks = await diagnose({ loaded, environment, host: host.value, service });
  await host.value.close();
  const ok = checks.every(({ status }) => status !== 'error');
  if (json) printJson({ ok, service: service.kind, faults: [], checks });
  else {
    for (const warning of loaded.warnings) print(`warning: ${warning}`);
    print(checks.map((check) => describe(check, findScreen())).join('\n'));
    print(`The service is ${service.kind}. ${summarise(checks)}`);
  }
  return ok ? EXIT.ok : EXIT.failure;
}

function describe({ name, status, message, detail, code, fix }: Diagnosis, screen: Screen): string {
  const head = `${screen.paint(TONES[status], status.padEnd(7))} ${name}`;
  if (code === null) return head;
  const lines = [`${message} (${code})`, detail, fix ? `fix: ${fix}` : ''];
  const [first, ...others] = lines
    .filter((line) => line !== '')
    .map((line) => line.replaceAll(/\p{Cc}/gu, ' '));
  return [`${head}: ${first}`, ...others].join('\n        ');
}

function summarise(checks: readonly Diagnosis[]): string {
  const count = (wanted: Diagnosis['status']) =>
    checks.filter(({ status }) => status === wanted).length;
  return `${checks.length} looked at: ${count('error')} errors, ${count('warning')} warnings.`;
}
