import { resolve } from 'node:path';
import { SpawnModeSchema } from 'agent-relay-protocol';
import { type Command, Option } from 'commander';
import { type RelayOptions, relayCommand, withRelay } from './relay-access.ts';
import type { Terminal } from './terminal.ts';

interface SpawnOptions extends RelayOptions {
  readonly name: string;
  readonly task?: string;
  readonly cwd: string;
  readonly mode?: 'safe' | 'agentic' | 'unrestricted';
  readonly model?: string;
  readonly node?: string;
  readonly label?: string;
}

export const spawnCommand = (terminal: Terminal): Command =>
  relayCommand('spawn')
    .description('Start an agent; answers when it runs')
    .argument('<provider>', 'claude, codex, or whatever a node offers')
    .requiredOption('--name <id>', "the agent's id, and the name others call it by")
    .option('--task <text>', 'its first task')
    .option('--cwd <folder>', 'the folder it works in', (folder) => resolve(terminal.cwd, folder), terminal.cwd)
    .addOption(new Option('--mode <mode>', 'what it may do on the machine').choices(SpawnModeSchema.options))
    .option('--model <model>', "the vendor's name of a model")
    .option('--node <id>', 'the machine to run it on')
    .option('--label <text>', 'a label for people')
    .action(async (provider: string, { name, task, cwd, mode, model, node, label, ...options }: SpawnOptions) => {
      const optional = {
        ...(task && { task }),
        ...(mode && { mode }),
        ...(model && { model }),
        ...(node && { node }),
        ...(label && { label }),
      };
      await withRelay(options, terminal, async (client) => {
        const session = await client.sessions.start({ provider, name, cwd, ...optional }, { signal: terminal.signal });
        terminal.out(
          `${session.agentId} runs: ${session.provider}${session.cwd === null ? '' : ` in ${session.cwd}`} (mode ${session.mode})`,
        );
        terminal.note(`See what it does: agent-relay watch --agent ${session.agentId}`);
      });
    });
