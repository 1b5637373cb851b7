import type { Command } from 'commander';
import { type RelayOptions, relayCommand, withRelay } from './relay-access.ts';
import type { Terminal } from './terminal.ts';

export const releaseCommand = (terminal: Terminal): Command =>
  relayCommand('release')
    .description("End an agent's session and its processes; its address keeps its mail")
    .argument('<name>', "the agent's id")
    .option('--reason <text>', 'why, for the log')
    .action(async (name: string, { reason, ...options }: RelayOptions & { readonly reason?: string }) => {
      await withRelay(options, terminal, async (client) => {
        await client.agents.release({ id: name, ...(reason && { reason }) }, { signal: terminal.signal });
        terminal.out(`${name} has ended`);
      });
    });

export const interruptCommand = (terminal: Terminal): Command =>
  relayCommand('interrupt')
    .description('Stop the running turn of an agent; its session stays')
    .argument('<name>', "the agent's id")
    .action(async (name: string, options: RelayOptions) => {
      await withRelay(options, terminal, async (client) => {
        const { interrupted } = await client.agents.interrupt({ id: name }, { signal: terminal.signal });
        terminal.out(interrupted ? `${name} was interrupted` : `${name} was not working`);
      });
    });
