import type { WordNode } from './word-tree.ts';

/** Completion for fish, 3.0 or later. */
export function formatFishScript(program: string, nodes: readonly WordNode[]): string {
  const paths = nodes.filter(({ path }) => path !== '').map(({ path }) => quote(path));
  const lines = nodes.flatMap((node) => formatNode(program, node));
  return `# fish completion of ${program}; load it with: ${program} completion fish | source
function __pod_upgrade_trigger_at
    set -l at ''
    for word in (commandline -opc)[2..-1]
        set -l next (string trim -- "$at $word")
        if contains -- $next ${paths.join(' ')}
            set at $next
        end
    end
    test "$at" = "$argv[1]"
end
complete -c ${program} -f
${lines.join('\n')}
`;
}

function formatNode(program: string, { path, commands, options, value }: WordNode): string[] {
  const where = `complete -c ${program} -n ${quote(`__pod_upgrade_trigger_at ${quote(path)}`)}`;
  return [
    ...commands.map(({ word, about }) => `${where} -a ${word} -d ${quote(about)}`),
    ...options.map((option) => {
      const names = option.names.map((name) =>
        name.replace(/^--/, '-l ').replace(/^-(?=\w$)/, '-s '),
      );
      const takes = formatValue(program, option.value).map((one) =>
        one === '-F' ? '-r -F' : `-x ${one}`,
      );
      return [where, ...names, ...takes, `-d ${quote(option.about)}`].join(' ');
    }),
    ...formatValue(program, value).map((one) => `${where} ${one}`),
  ];
}

function formatValue(program: string, value: WordNode['value']): string[] {
  switch (value.kind) {
    case 'none':
      return [];
    case 'any':
      return ['-F'];
    case 'words':
      return [`-a ${quote(value.words.join(' '))}`];
    default:
      return [`-a '(${program} __complete ${value.kind} 2> /dev/null)'`];
  }
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
