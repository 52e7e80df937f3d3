import { Argument, type Command } from 'commander';
import type { CommandParts } from '../call-note.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;

const HOW = `
For this shell:       source <(pod-upgrade-trigger completion bash)
For every bash:       pod-upgrade-trigger completion bash > ~/.local/share/bash-completion/completions/pod-upgrade-trigger
For every zsh:        pod-upgrade-trigger completion zsh > a folder of $fpath, as _pod-upgrade-trigger
For every fish:       pod-upgrade-trigger completion fish > ~/.config/fish/completions/pod-upgrade-trigger.fish`;

/** Adds `completion`. */
export function addCompletionCommand({ program }: CommandParts): void {
  program
    .command('completion')
    .description('print what has a shell complete commands, units and tasks')
    .addArgument(new Argument('<shell>').choices(SHELLS))
    .addHelpText('after', HOW)
    .action(async (shell: (typeof SHELLS)[number]) => {
      process.stdout.write(await formatScript(shell, program));
    });
}

async function formatScript(shell: (typeof SHELLS)[number], program: Command): Promise<string> {
  const { readWordTree } = await import('./word-tree.ts');
  const nodes = readWordTree(program);
  switch (shell) {
    case 'bash':
      return (await import('./bash-script.ts')).formatBashScript(program.name(), nodes);
    case 'zsh':
      return (await import('./zsh-script.ts')).formatZshScript(program.name(), nodes);
    case 'fish':
      return (await import('./fish-script.ts')).formatFishScript(program.name(), nodes);
  }
}
