#!/usr/bin/env node
/**
 * The program. Which half is loaded depends on the first word, so that the supervisor stays small. Setting the exit
 * code and letting the process end by itself would keep it alive for a library's stray handle.
 */
const [execPath, script = '', ...words] = process.argv;
const program = [execPath ?? process.execPath, ...process.execArgv, script] as const;
const environment = process.env;

if (words[0] === 'supervise' && !words.includes('--help') && !words.includes('-h')) {
  const { supervise } = await import('../supervisor/main.ts');
  const [, separator, ...rest] = words;
  if (separator !== undefined && separator !== '--') {
    console.error('usage: pod-upgrade-trigger supervise [-- COMMAND ARGUMENT...]');
    process.exit(2);
  }
  const [command, ...entryArgs] = program;
  process.exit(
    await supervise({ execPath: command, entryArgs, environment, foreignCommand: rest }),
  );
}
if (words[0] === '__complete') {
  const { completeWords } = await import('../app/cli/completion/complete-words.ts');
  await completeWords(words.slice(1), environment);
  process.exit();
}
const loadTask = () => import('../app/cli/run-task-command.ts');
// A task has no use for all the other commands.
if (words[0] === 'run-task' && words.length === 3 && words.every((word) => !word.startsWith('-'))) {
  const [, id = '', attempts] = words;
  const { runTaskCommand } = await loadTask();
  process.exit(await runTaskCommand({ id, attempts: Number(attempts) }, environment));
}
const { runApp } = await import('../app/main.ts');
const loadSupervisor = () => import('../supervisor/main.ts');
process.exit(await runApp({ words, program, environment, loadSupervisor, loadTask }));
