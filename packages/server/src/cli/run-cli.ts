import { nearest, RELAY_VERSION, RelayError } from 'agent-relay-protocol';
import { Command, CommanderError } from 'commander';
import { exampleOf } from './argument-examples.ts';
import { runUnderNewerNode } from './newer-node.ts';
import { CommandFailure, withDefault } from './relay-access.ts';
import { commands } from './resources.ts';
import { serveCommand } from './serve.ts';
import { oneLine, onlyShowing, type Terminal } from './terminal.ts';

/**
 * Runs one command line and answers its exit code: 0 done, 1 the relay said no, 2 the command line or the configuration is wrong,
 * 3 no relay answers.
 */
export async function runCli(args: readonly string[], bare: Terminal): Promise<number> {
  const terminal = onlyShowing(bare);
  try {
    const root = program(terminal);
    refuseUnknown(root, args);
    const code = await runUnderNewerNode(named(root, args[0]), args, terminal);
    if (code !== null) return code;
    await root.parseAsync([...args], { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    // Whoever pressed Ctrl-C knows why it ended.
    if (terminal.signal.aborted) return 0;
    if (error instanceof RelayError) {
      terminal.note(`error: ${error.message}`);
      return error.code === 'validation_failed' ? 2 : 1;
    }
    if (isOfSystem(error)) {
      terminal.note(`error: ${error.message}`);
      return 1;
    }
    if (!(error instanceof CommandFailure)) throw error;
    terminal.note(error.message);
    return error.exitCode;
  }
}

/** A file that may not be written, a full disk, a port in use: what the system refused is no fault of ours, and says itself what it is. */
const isOfSystem = (error: unknown): error is Error => error instanceof Error && 'syscall' in error && 'code' in error;

const namesOf = (command: Command): readonly string[] => [command.name(), ...command.aliases()];
const named = ({ commands }: Command, first = ''): Command | undefined => commands.find((command) => namesOf(command).includes(first));

/** With a default command, commander takes a misspelt one for an argument of it. @throws CommandFailure. */
function refuseUnknown(command: Command, [first, ...rest]: readonly string[]): void {
  const { commands } = command;
  if (commands.length === 0 || first === undefined || first.startsWith('-') || first === 'help') return;
  const found = named(command, first);
  if (found) {
    refuseUnknown(found, rest);
    return;
  }
  // One that takes arguments of its own has them there.
  if (command.registeredArguments.length > 0) return;
  const names = commands.flatMap(namesOf);
  const isRoot = command.parent === null;
  const plain = (name: string) => name.replace('/', '');
  const typo = nearest(plain(first), names.map(plain));
  const near = names.filter((name) => plain(name) === typo || plain(name).startsWith(plain(first).slice(0, 3)));
  const path = isRoot ? 'agent-relay' : `agent-relay ${command.name()}`;
  const hint = near.length === 0 ? `${path} --help lists the commands` : `did you mean ${near.join(', ')}?`;
  throw new CommandFailure(`error: there is no command ${isRoot ? '' : `${command.name()} `}${oneLine(first, 40)}; ${hint}`, 2);
}

export function program(terminal: Terminal): Command {
  const root = withDefault(new Command('agent-relay'), serveCommand(terminal))
    .description('Coding agents that message, watch and steer each other through a relay that loses nothing.')
    .version(RELAY_VERSION)
    // An option belongs to the command it stands behind: `pair` and `pair accept` both have --agent.
    .enablePositionalOptions()
    .showHelpAfterError('(agent-relay --help lists the commands)')
    .addHelpText('after', examples);
  for (const command of commands) root.addCommand(command(terminal));
  for (const command of [root, ...root.commands, ...root.commands.flatMap(({ commands }) => commands)]) {
    command.exitOverride().configureOutput({
      writeErr: (text) => terminal.note(text.trimEnd()),
      outputError: (text, write) => write(`${text.trimEnd()}${wordsFor(command, text)}`),
    });
  }
  return root;
}

/** What belongs in the place of an argument that is missing. */
function wordsFor(command: Command, fault: string): string {
  const { registeredArguments, args } = command;
  const missing = registeredArguments.find(({ required }, index) => required && args[index] === undefined);
  if (missing === undefined || !fault.includes(`'${missing.name()}'`)) return '';
  const example = exampleOf(command);
  return `${missing.description && `: ${missing.description}`}${example === null ? '' : `\nFor example: ${example}`}`;
}

const examples = `
Examples:
  agent-relay                                        run the relay
  agent-relay spawn claude --name Lead --task "…"    start an agent in this folder
  agent-relay send Lead "How far are you?"
  agent-relay watch --agent Lead

Exit codes: 0 done, 1 the relay said no, 2 wrong usage, 3 no relay answers.`;
