import type { WordNode } from './word-tree.ts';

/** Completion for zsh, 5.0 or later. */
export function formatZshScript(program: string, nodes: readonly WordNode[]): string {
  const cases = nodes.map((node) => `    (${quote(node.path)})\n${formatNode(node)}      ;;\n`);
  const paths = nodes.filter(({ path }) => path !== '').map(({ path }) => quote(path));
  return `#compdef ${program}
# zsh completion of ${program}; load it with: source <(${program} completion zsh)
_pod_upgrade_trigger() {
  local at='' ask='' i line
  local -a commands options values
  for ((i = 2; i < CURRENT; i++)); do
    case "\${at:+$at }\${words[i]}" in
      (${paths.join('|')}) at="\${at:+$at }\${words[i]}" ;;
    esac
  done
  case $at in
${cases.join('')}  esac
  if [[ $ask == any ]]; then
    _files
    return
  fi
  if [[ -n $ask ]]; then
    for line in "\${(@f)$(\${words[1]} __complete $ask 2> /dev/null)}"; do
      [[ -n $line ]] && values+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
    done
  fi
  if [[ \${words[CURRENT]} == -* ]]; then
    _describe option options
  else
    (( \${#commands} )) && _describe command commands
    (( \${#values} )) && _describe value values
  fi
}
compdef _pod_upgrade_trigger ${program}
`;
}

function formatNode({ commands, options, value }: WordNode): string {
  const lines = [
    `commands=(${commands.map(({ word, about }) => describe(word, about)).join(' ')})`,
    `options=(${options.flatMap(({ names, about }) => names.map((name) => describe(name, about))).join(' ')})`,
    ...formatValue(value),
  ];
  const valued = options.filter((option) => option.value.kind !== 'none');
  if (valued.length > 0) {
    lines.push(
      'case $words[CURRENT-1] in',
      ...valued.map((option) => {
        const set = ['commands=()', 'values=()', "ask=''", ...formatValue(option.value)];
        return `  (${option.names.join('|')}) ${set.join('; ')} ;;`;
      }),
      'esac',
    );
  }
  return lines.map((line) => `      ${line}\n`).join('');
}

function formatValue(value: WordNode['value']): string[] {
  if (value.kind === 'none') return [];
  return value.kind === 'words'
    ? [`values=(${value.words.map(quote).join(' ')})`]
    : [`ask=${value.kind}`];
}

function describe(word: string, about: string): string {
  return quote(`${word.replaceAll(':', '\\:')}:${about}`);
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
