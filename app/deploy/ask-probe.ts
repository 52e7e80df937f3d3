import { type Failure, fail } from '../../shared/contract/outcome.ts';
import { formatEnd, isSuccess, type RunCommand } from '../../shared/process/run-command.ts';
import type { Probe } from '../domain/unit-policy.ts';
import { explainUnreachable } from '../host/explain-unreachable.ts';
import type { ProbeSource } from '../host/host.ts';

/** One question; that a unit needs longer to start is the gate's business. */
const TIMEOUT_MS = 5_000;

/**
 * Asks a unit, from the host on which it runs, whether it does its work: an HTTP answer of 200 to 399 (redirects are an
 * answer, and not followed), a TCP connection, or a command that exits with 0. Null where it is content, else
 * GATE_PROBE_FAILED with what was seen.
 */
export async function askProbe(
  probe: Probe,
  run: RunCommand,
  ask: ProbeSource,
): Promise<Failure | null> {
  switch (probe.kind) {
    case 'http':
      return judgeHttp(probe.url, await ask.http(probe.url, TIMEOUT_MS));
    case 'tcp':
      return ask.tcp(probe.host, probe.port, TIMEOUT_MS);
    case 'exec': {
      const [file = '', ...args] = probe.argv;
      const argv = [file, ...args] as const;
      const result = await run({ argv, timeoutMs: TIMEOUT_MS, hidesArguments: true });
      const unreachable = explainUnreachable(result);
      if (unreachable) return unreachable.failure;
      return isSuccess(result) ? null : bad(formatEnd({ ...result, argv: [file] }));
    }
  }
}

function judgeHttp(url: string, answer: Awaited<ReturnType<ProbeSource['http']>>): Failure | null {
  if (!('status' in answer)) return answer;
  const { status } = answer;
  // A query may hold a token.
  const isGood = status >= 200 && status < 400;
  return isGood ? null : bad(`${url.replace(/[?#].*$/s, '')} answered ${status}.`);
}

function bad(detail: string): Failure {
  return fail('GATE_PROBE_FAILED', detail.slice(0, 500)).failure;
}
