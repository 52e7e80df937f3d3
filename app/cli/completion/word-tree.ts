import type { Argument, Command, Option } from 'commander';

/** What stands for a word that only the running service knows. */
export type Asked = 'units' | 'tasks';

/** A word that may follow, and what it is for. */
export type Word = { readonly word: string; readonly about: string };

/** What may stand behind an option: nothing, one of these words, what is asked for, or anything (a file, too). */
type Value =
  | { readonly kind: 'none' | 'any' }
  | { readonly kind: 'words'; readonly words: readonly string[] }
  | { readonly kind: Asked };

/** An option with both its names. */
export type CompletedOption = {
  readonly names: readonly string[];
  readonly about: string;
  readonly value: Value;
};

/** A command by its words, and all that may stand behind them. */
export type WordNode = {
  /** `tasks list`; empty for the program itself. */
  readonly path: string;
  /** Commands below it, by every name that they have. */
  readonly commands: readonly Word[];
  readonly options: readonly CompletedOption[];
  /** What its arguments are. */
  readonly value: Value;
};

const HELP: CompletedOption = {
  names: ['-h', '--help'],
  about: 'display help for command',
  value: { kind: 'none' },
};

/** The whole tree of a program, without what is hidden from its help. */
export function readWordTree(program: Command, path = ''): WordNode[] {
  const commands = program.commands.filter((one) => !isHidden(one));
  const below = commands.flatMap((one) => namesOf(one).map((name) => ({ name, one })));
  return [
    {
      path,
      commands: below.map(({ name, one }) => ({ word: name, about: one.description() })),
      options: [...program.options.filter(({ hidden }) => !hidden).map(readOption), HELP],
      value: readArgument(program.registeredArguments[0]),
    },
    ...below.flatMap(({ name, one }) => readWordTree(one, `${path} ${name}`.trim())),
  ];
}

function isHidden(command: Command): boolean {
  // Commander tells it nowhere else.
  return (command as unknown as { readonly _hidden?: boolean })._hidden === true;
}

function namesOf(command: Command): string[] {
  return [command.name(), ...command.aliases()];
}

function readOption(option: Option): CompletedOption {
  const names = [option.short, option.long].filter((name) => name !== undefined);
  return { names, about: option.description, value: readValue(option) };
}

function readValue({ flags, argChoices, required, optional }: Option): Value {
  if (argChoices) return { kind: 'words', words: argChoices };
  if (!required && !optional) return { kind: 'none' };
  return readName(/<(.+)>/.exec(flags)?.[1] ?? '', flags.includes('--retry-of'));
}

function readArgument(argument: Argument | undefined): Value {
  if (!argument) return { kind: 'none' };
  if (argument.argChoices) return { kind: 'words', words: argument.argChoices };
  return readName(argument.name(), true);
}

/** Units and tasks are called the same everywhere; an id that is none of a task is called otherwise. */
function readName(name: string, isTask: boolean): Value {
  if (/^(?:unit|units|names)$/.test(name)) return { kind: 'units' };
  if (name === 'id' && isTask) return { kind: 'tasks' };
  return { kind: 'any' };
}
