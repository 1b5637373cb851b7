import type { Claim } from 'agent-relay-protocol';
import { type Command, InvalidArgumentError } from 'commander';
import { agentOfSession } from './current-agent.ts';
import { type RelayOptions, relayCommand, withRelay } from './relay-access.ts';
import { parseMessageId } from './send.ts';
import type { Terminal } from './terminal.ts';

interface ActingOptions extends RelayOptions {
  readonly agent?: string;
}

export const claimCommand = (terminal: Terminal): Command =>
  relayCommand('claim')
    .description('Take a claimable message; exactly one claimant wins')
    .argument('<message>', 'its number', parseMessageId)
    .option('--agent <id>', 'who claims it (default: AGENT_RELAY_ID, else owner)', agentOfSession(terminal.env))
    .action(async (id: number, { agent, ...options }: ActingOptions) => {
      await withRelay(options, terminal, async (client) => {
        terminal.out(describe(await client.messages.claim({ id, ...(agent && { agentId: agent }) }, { signal: terminal.signal })));
      });
    });

export const completeCommand = (terminal: Terminal): Command =>
  relayCommand('complete')
    .description('Report claimed work as done')
    .argument('<claim>', 'the id of the claim')
    .option('--agent <id>', 'who did it (default: AGENT_RELAY_ID, else owner)', agentOfSession(terminal.env))
    .option('--fence <number>', 'the fence of the claim', parseFence)
    .option('--result <text>', 'what came out')
    .action(async (claimId: string, { agent, fence, result, ...options }: ActingOptions & { fence?: number; result?: string }) => {
      const optional = { ...(agent && { agentId: agent }), ...(fence && { fence }), ...(result && { result }) };
      await withRelay(options, terminal, async (client) => {
        terminal.out(describe(await client.claims.complete({ claimId, ...optional }, { signal: terminal.signal })));
      });
    });

export function describe(claim: Claim): string {
  const what = `[${claim.kind === 'message' ? 'msg' : 'task'}:${claim.subjectId}]`;
  if (claim.status !== 'held') return `${what} ${claim.status}`;
  return `${what} held by ${claim.agentId} until ${new Date(claim.leaseExpiresAt).toISOString()}; claim ${claim.claimId}, fence ${claim.fence}`;
}

export function parseFence(text: string): number {
  if (!/^[1-9]\d{0,14}$/u.test(text)) throw new InvalidArgumentError('must be the number that the claim answered');
  return Number(text);
}
