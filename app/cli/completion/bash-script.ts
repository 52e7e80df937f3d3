import type { WordNode } from './word-tree.ts';

/** Completion for bash, 4.2 or later. */
export function formatBashScript(program: string, nodes: readonly WordNode[]): string {
  const cases = nodes.map((node) => `    ${quote(node.path)})\n${formatNode(node)}      ;;\n`);
  const paths = nodes.filter(({ path }) => path !== '').map(({ path }) => quote(path));
  return `# bash completion of ${program}; load it with: source <(${program} completion bash)
_pod_upgrade_trigger() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]} at='' i
  local commands='' options='' values='' ask=''
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "\${at:+$at }\${COMP_WORDS[i]}" in
    ${paths.join(' | ')}) at="\${at:+$at }\${COMP_WORDS[i]}" ;;
    esac
  done
  case $at in
${cases.join('')}  esac
  COMPREPLY=()
  [[ $ask == any ]] && return
  [[ -n $ask ]] && values=$(\${COMP_WORDS[0]} __complete "$ask" 2> /dev/null | cut -f 1)
  [[ $cur == -* ]] && values=$options || values="$commands $values"
  COMPREPLY=($(compgen -W "$values" -- "$cur"))
}
complete -o default -F _pod_upgrade_trigger ${program}
`;
}

function formatNode({ commands, options, value }: WordNode): string {
  const lines = [
    `commands=${quote(commands.map(({ word }) => word).join(' '))}`,
    `options=${quote(options.flatMap(({ names }) => names).join(' '))}`,
    ...formatValue(value),
  ];
  const valued = options.filter((option) => option.value.kind !== 'none');
  if (valued.length > 0) {
    lines.push(
      'case $prev in',
      ...valued.map((option) => {
        const set = ["commands=''", "values=''", "ask=''", ...formatValue(option.value)];
        return `${option.names.join(' | ')}) ${set.join('; ')} ;;`;
      }),
      'esac',
    );
  }
  return lines.map((line) => `      ${line}\n`).join('');
}

function formatValue(value: WordNode['value']): string[] {
  if (value.kind === 'none') return [];
  return value.kind === 'words'
    ? [`values=${quote(value.words.join(' '))}`]
    : [`ask=${value.kind}`];
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
