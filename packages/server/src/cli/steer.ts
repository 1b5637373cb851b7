import { type ApprovalMode, ApprovalModeSchema } from 'agent-relay-protocol';
import { Argument, type Command } from 'commander';
import { requirePerson } from './current-agent.ts';
import { type RelayOptions, relayCommand, withRelay } from './relay-access.ts';
import type { Terminal } from './terminal.ts';

export const releaseCommand = (terminal: Terminal): Command =>
  relayCommand('release')
    .description("End an agent's session and its processes; its address keeps its mail")
    .argument('<name>', "the agent's id")
    .option('--reason <text>', 'why, for the log')
    .option('--no-wake', 'and mail no longer starts it again; also for one that is not there')
    .action(async (name: string, { reason, wake, ...options }: RelayOptions & { readonly reason?: string; readonly wake: boolean }) => {
      await withRelay(options, terminal, async (client) => {
        const more = { ...(reason && { reason }), ...(!wake && { wake: 'never' as const }) };
        await client.agents.release({ id: name, ...more }, { signal: terminal.signal });
        terminal.out(`${name} has ended${wake ? '' : ', and mail no longer starts it again'}`);
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

export const approvalCommand = (terminal: Terminal): Command =>
  relayCommand('approval')
    .description('Set what a turn of an agent may do that mail of the relay started; not while a machine runs it')
    .argument('<name>', "the agent's id")
    .addArgument(new Argument('<mode>', 'how far it may go').choices(ApprovalModeSchema.options))
    .action(async (name: string, mode: ApprovalMode, options: RelayOptions) => {
      requirePerson(terminal);
      await withRelay(options, terminal, async (client) => {
        const { id, approval } = await client.agents.approval({ id: name, approval: mode }, { signal: terminal.signal });
        terminal.out(`${id}: ${approval}`);
      });
    });
