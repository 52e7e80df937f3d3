/**
 * Writes the help of every command into test/fixtures/cli/help, or with --check says what has drifted (exit 1).
 *   node scripts/generate-help.ts [--check]
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { buildProgram } from '../app/main.ts';

const folder = join(import.meta.dirname, '../test/fixtures/cli/help');
/** As where there is no terminal. */
const WIDTH = 80;

/** What a command and all below it print for `--help`, by the name of the file. */
function collectHelp(command: Command, words: readonly string[]): [string, string][] {
  let text = '';
  command.configureOutput({
    writeOut: (part) => {
      text += part;
    },
    getOutHelpWidth: () => WIDTH,
  });
  command.outputHelp();
  const name = words.length === 0 ? 'pod-upgrade-trigger' : words.join(' ').replaceAll(' ', '-');
  const isHidden = (one: Command) => (one as unknown as { _hidden: boolean })._hidden;
  return [
    [`${name}.txt`, text],
    ...command.commands
      .filter((one) => !isHidden(one))
      .flatMap((one) => collectHelp(one, [...words, one.name()])),
  ];
}

const program = buildProgram({
  program: ['pod-upgrade-trigger'],
  environment: {},
  loadSupervisor: () => Promise.resolve(),
  loadTask: () => Promise.reject(new Error('not here')),
});
const wanted = new Map(collectHelp(program, []));
mkdirSync(folder, { recursive: true });
const drifted = [...wanted].filter(([name, text]) => {
  const path = join(folder, name);
  return !existsSync(path) || readFileSync(path, 'utf8') !== text;
});
const gone = readdirSync(folder).filter((name) => !wanted.has(name));
if (process.argv.includes('--check')) {
  for (const name of [...drifted.map(([one]) => one), ...gone]) {
    console.error(`test/fixtures/cli/help/${name} has drifted; run: npm run generate`);
    process.exitCode = 1;
  }
} else {
  for (const [name, text] of drifted) writeFileSync(join(folder, name), text);
  for (const name of gone) rmSync(join(folder, name));
}
