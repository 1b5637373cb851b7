import { randomUUID } from 'node:crypto';
import { text as readText } from 'node:stream/consumers';
import type { RelayClient } from 'agent-relay-client';
import { DeliveryModeSchema, type RouteRequest, type SentMessage, WaitForSchema } from 'agent-relay-protocol';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { agentOfSession } from './current-agent.ts';
import { describeMessage } from './describe-message.ts';
import { describeSent } from './describe-sent.ts';
import { CommandFailure, type RelayOptions, relayCommand, withRelay } from './relay-access.ts';
import { oneLine, type Terminal } from './terminal.ts';
import { type NamedMessage, sendOnce, type Waited, waitForReceipts } from './wait-for-receipts.ts';

type Send = RouteRequest<'messages/send'>;

interface SendOptions extends RelayOptions {
  readonly from?: string;
  readonly mode?: NonNullable<Send['mode']>;
  readonly replyTo?: number;
  readonly channel?: string;
  readonly subject?: string;
  readonly claimable?: true;
  readonly wait?: NonNullable<Send['waitFor']>['state'];
  readonly timeout: number;
}

export const sendCommand = (terminal: Terminal): Command =>
  relayCommand('send')
    .description('Send a message; says its number as soon as it is stored')
    .argument('<to>', 'an agent, tag:x, cap:x, label:x, machine:x, #channel or broadcast')
    .argument('<text>', 'what to say; - reads it from standard input')
    .addOption(new Option('--mode <mode>', 'when it enters the session').choices(DeliveryModeSchema.options))
    .option('--reply-to <id>', 'the message it answers', parseMessageId)
    .option('--channel <name>', 'the channel it belongs to')
    .option('--subject <text>', 'a subject line')
    .option('--claimable', 'work that exactly one recipient should claim')
    .option('--from <id>', 'who speaks (default: the agent whose session this is, else owner)', agentOfSession(terminal.env))
    .addOption(
      new Option('--wait <state>', 'wait until every recipient is there; answered shows the answer').choices(
        WaitForSchema.shape.state.options,
      ),
    )
    .option('--timeout <seconds>', 'how long to wait', parseSeconds, 30)
    .addHelpText('after', '\nExample:\n  agent-relay send Worker "Is the build green?" --wait answered --timeout 120')
    .action(async (to: string, given: string, options: SendOptions, command: Command) => {
      if (options.wait === undefined && command.getOptionValueSource('timeout') === 'cli')
        throw new CommandFailure('error: --timeout goes with --wait', 2);
      const body = given === '-' ? await readText(process.stdin) : given;
      assertSaid(body, 'send <to> <text>');
      await withRelay(options, terminal, async (client) => {
        const message = messageOf(to, body, options);
        const sent = await sendOnce(client, message, terminal.signal);
        terminal.out(describeSent(sent));
        const { wait: state, timeout } = options;
        if (state === undefined) return;
        const waited = await waitForReceipts(client, { message, sent, state, timeoutMs: timeout * 1000 }, terminal);
        reportWait(waited, terminal);
        if (state === 'answered') await showAnswers(client, sent, terminal);
        failUnlessReached(waited);
      });
    });

function messageOf(to: string, body: string, { from, mode, replyTo, channel, subject, claimable }: SendOptions): NamedMessage {
  return {
    to,
    body,
    idempotencyKey: randomUUID(),
    ...(from && { from }),
    ...(mode && { mode }),
    ...(replyTo && { replyTo }),
    ...(channel && { channel }),
    ...(subject && { subject }),
    ...(claimable && { claimable }),
  };
}

function reportWait({ deliveries }: Waited, terminal: Terminal): void {
  for (const { agentId, state, evidence, reason } of deliveries) {
    const why = [evidence, reason && oneLine(reason)].filter((part) => part).join(', ');
    terminal.out(`${agentId}: ${state}${why === '' ? '' : ` (${why})`}`);
  }
}

async function showAnswers(client: RelayClient, { id }: SentMessage, terminal: Terminal): Promise<void> {
  const { data } = await client.messages.thread({ id, after: id }, { signal: terminal.signal });
  for (const message of data) if (message.replyTo === id) terminal.out(describeMessage(message));
}

function failUnlessReached({ reached, endedTurn, deliveries }: Waited): void {
  if (reached) return;
  const failed = deliveries
    .filter(({ state }) => state === 'failed' || state === 'expired')
    .map(({ agentId, state }) => `${agentId} (${state})`);
  if (failed.length > 0) throw new CommandFailure(`error: it does not get there: ${failed.join(', ')}`, 1);
  if (endedTurn === null) throw new CommandFailure('error: not everybody got there in time (timeout)', 1);
  const words = endedTurn.text === null || endedTurn.text === '' ? '' : `. Its last words: ${oneLine(endedTurn.text)}`;
  throw new CommandFailure(`error: ${endedTurn.agentId} ended its turn without an answer${words}`, 1);
}

/** @throws CommandFailure when there is nothing in the text. */
export function assertSaid(text: string | undefined, usage: string): asserts text is string {
  if (text === undefined || text.trim() === '') throw new CommandFailure(`error: say something: ${usage}`, 2);
}

export function parseMessageId(text: string): number {
  const id = /^(?:\[?msg:)?(\d{1,15})\]?$/u.exec(text)?.[1];
  if (id === undefined) throw new InvalidArgumentError('must be the number of a message, e.g. 42 or msg:42');
  return Number(id);
}

export function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (!Number.isFinite(seconds) || seconds < 0) throw new InvalidArgumentError('must be a number of seconds');
  return seconds;
}
