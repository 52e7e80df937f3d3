import assert from 'node:assert/strict';
import { getuid } from 'node:process';
import {
  type DeployEvidence,
  type DeployRequest,
  deployImage,
} from '../../app/deploy/deploy-image.ts';
import { lookUpDigest } from '../../app/registry/look-up-digest.ts';
import { authFileCandidates } from '../../app/registry/read-credentials.ts';
import { parseRegistryRules } from '../../app/registry/registry-rules.ts';
import {
  type CommandResult,
  type RunCommand,
  runCommand,
} from '../../shared/process/run-command.ts';

/** Generous: a slow machine must not look like a fault. */
export const LIMITS = { pullTimeoutMs: 60_000, restartTimeoutMs: 60_000 };

/** Runs commands as they are and keeps what they came to. */
export function recordRuns(
  change: (argv: readonly string[]) => NodeJS.ProcessEnv | undefined = () => undefined,
) {
  const results: CommandResult[] = [];
  const run: RunCommand = async (command) => {
    const environment = change(command.argv);
    const result = await runCommand({ ...command, ...(environment && { environment }) });
    results.push(result);
    return result;
  };
  const count = (...words: string[]) =>
    results.filter(({ argv }) => words.every((word) => argv.includes(word))).length;
  return { run, results, count };
}

type DeployOptions = {
  readonly run?: RunCommand;
  readonly limits?: typeof LIMITS;
} & Omit<DeployRequest, 'unit'>;

/** One whole deployment by the real parts, with all that it reported. */
export async function deploy(unit: string, options: DeployOptions = {}) {
  const { run = runCommand, limits = LIMITS, ...request } = options;
  const phases: string[] = [];
  let evidence: DeployEvidence = {};
  const authFiles = authFileCandidates({ ...process.env, uid: getuid?.() ?? 0 });
  const end = await deployImage(
    {
      run,
      limits,
      lookUp: (image, registries) =>
        lookUpDigest(image, {
          registries: parseRegistryRules(registries),
          authFiles,
          timeoutMs: 10_000,
          userAgent: 'test',
        }),
      onPhase: (phase) => phases.push(phase),
      onEvidence: (more) => {
        evidence = { ...evidence, ...more };
      },
    },
    { unit, ...request },
  );
  return { end, phases, evidence };
}

/** The code with which a deployment failed. */
export function codeOf({ end }: Awaited<ReturnType<typeof deploy>>): string {
  assert.equal(end.status, 'failed', JSON.stringify(end));
  return end.status === 'failed' ? end.failure.code : '';
}
