import type { Claim } from 'agent-relay-protocol';
import { type Command, InvalidArgumentError } from 'commander';
import { agentOfSession } from './current-agent.ts';
import { CommandFailure, type RelayOptions, relayCommand, withRelay } from './relay-access.ts';
import { parseMessageId } from './send.ts';
import { clockTime, type Terminal } from './terminal.ts';

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
    .argument('<claim>', 'the id of the claim, as `claim` answers it', parseClaimId)
    .option('--agent <id>', 'who did it (default: AGENT_RELAY_ID, else owner)', agentOfSession(terminal.env))
    .option('--fence <number>', 'the fence of the claim', parseFence)
    .option('--result <text>', 'what came out')
    .action(async (claimId: string, { agent, fence, result, ...options }: ActingOptions & { fence?: number; result?: string }) => {
      const optional = { ...(agent && { agentId: agent }), ...(fence && { fence }), ...(result && { result }) };
      await withRelay(options, terminal, async (client) => {
        terminal.out(describe(await client.claims.complete({ id: claimId, ...optional }, { signal: terminal.signal })));
      });
    });

export const takeBackCommand = (terminal: Terminal): Command =>
  relayCommand('take-back')
    .description('Take offered work back from whoever holds it: it is open again, and the holder is told')
    .argument('<message>', 'its number', parseMessageId)
    .option('--agent <id>', 'who offered it (default: AGENT_RELAY_ID, else owner)', agentOfSession(terminal.env))
    .option('--reason <text>', 'why, for the holder')
    .action(async (id: number, { agent, reason, ...options }: ActingOptions & { reason?: string }) => {
      await withRelay(options, terminal, async (client) => {
        const { claim } = await client.messages.get({ id }, { signal: terminal.signal });
        if (claim?.status !== 'held') throw new CommandFailure(`error: nobody holds message ${id}`, 1);
        const released = await client.claims.release(
          { id: claim.claimId, ...(agent && { agentId: agent }), ...(reason && { reason }) },
          { signal: terminal.signal },
        );
        terminal.out(`${describe(released)}: taken back from ${claim.agentId}`);
      });
    });

export function describe(claim: Claim): string {
  const what = `[${claim.kind === 'message' ? 'msg' : 'task'}:${claim.subjectId}]`;
  if (claim.status !== 'held') return `${what} ${claim.status}`;
  return `${what} held by ${claim.agentId} until ${untilTime(claim.leaseExpiresAt)}; claim ${claim.claimId}, fence ${claim.fence}`;
}

/** As a clock here shows it, with the day where it is another one. */
export function untilTime(at: number, now = Date.now()): string {
  const isToday = new Date(at).toDateString() === new Date(now).toDateString();
  return isToday ? clockTime(at) : `${new Date(at).toDateString()} ${clockTime(at)}`;
}

/** Who claimed has the number of a message at hand, and claims are called otherwise. */
function parseClaimId(text: string): string {
  if (/^\d+$/u.test(text)) throw new InvalidArgumentError('Claims have ids of their own, unlike messages: `claim` answered it.');
  return text;
}

export function parseFence(text: string): number {
  if (!/^[1-9]\d{0,14}$/u.test(text)) throw new InvalidArgumentError('must be the number that the claim answered');
  return Number(text);
}
