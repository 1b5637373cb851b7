import { listAll, type RelayClient } from 'agent-relay-client';
import { type Channel, type ChannelBinding, type ChannelBindingMode, ChannelBindingModeSchema } from 'agent-relay-protocol';
import { Command, Option } from 'commander';
import { CommandFailure, type RelayOptions, relayCommand, withRelay } from './relay-access.ts';
import { oneLine, type Terminal, table } from './terminal.ts';

interface ListOptions extends RelayOptions {
  readonly json?: true;
}

interface BindOptions extends RelayOptions {
  readonly mode?: ChannelBindingMode;
}

export const channelsCommand = (terminal: Terminal): Command =>
  relayCommand('channels')
    .description('List the channels to people outside, and who is bound to their conversations')
    .option('--json', 'one JSON object a line')
    .action(async ({ json, ...options }: ListOptions) => {
      await withRelay(options, terminal, async (client) => {
        const { data } = await listAll(client.channels.list, {}, { signal: terminal.signal });
        if (json) for (const channel of data) terminal.out(JSON.stringify(channel));
        else if (data.length > 0) for (const line of table([heading, ...data.flatMap(rows)])) terminal.out(line);
        if (data.length === 0) terminal.note('No channels.');
      });
    });

export const channelCommand = (terminal: Terminal): Command =>
  new Command('channel')
    .description('Say who is meant by what people write in a conversation')
    .addCommand(bindCommand(terminal))
    .addCommand(unbindCommand(terminal));

const bindCommand = (terminal: Terminal): Command =>
  relayCommand('bind')
    .description('Bind a conversation to an agent, or to a group of which one agent takes each message')
    .argument('<channel>', 'its id')
    .argument('<conversation>', 'the name the outside gives it; "*" is every one without a binding of its own')
    .argument('<target>', 'an id, name or label; id:x, tag:x, cap:x, label:x, machine:x, #channel or broadcast')
    .addOption(
      new Option('--mode <mode>', 'fanout: one of several targets, each of which gets every message').choices(
        ChannelBindingModeSchema.options,
      ),
    )
    .addHelpText(
      'after',
      '\nExamples:\n  agent-relay channel bind telegram 4711 Lead\n  agent-relay channel bind telegram "*" cap:support\n  agent-relay channel bind --mode fanout telegram -- -100200 tag:ops',
    )
    .action(async (id: string, conversationId: string, target: string, { mode, ...options }: BindOptions) => {
      await withRelay(options, terminal, async (client) => {
        const request = { id, conversationId, target, ...(mode && { mode }) };
        terminal.out(describe(await client.channels.bind(request, { signal: terminal.signal })));
      });
    });

const unbindCommand = (terminal: Terminal): Command =>
  relayCommand('unbind')
    .description('End a binding')
    .argument('<binding>', 'its id, as `agent-relay channels` shows it')
    .action(async (bindingId: string, options: RelayOptions) => {
      await withRelay(options, terminal, async (client) => {
        const { channelId: id } = await findBinding(client, bindingId, terminal.signal);
        terminal.out(`ended: ${describe(await client.channels.unbind({ id, bindingId }, { signal: terminal.signal }))}`);
      });
    });

async function findBinding(client: RelayClient, bindingId: string, signal: AbortSignal): Promise<ChannelBinding> {
  const { data } = await listAll(client.channels.list, {}, { signal });
  const found = data.flatMap(({ bindings }) => bindings).find((binding) => binding.bindingId === bindingId);
  if (!found) throw new CommandFailure(`error: no channel has a binding ${oneLine(bindingId, 40)}: agent-relay channels lists them`, 1);
  return found;
}

const heading = ['CHANNEL', 'TRANSPORT', 'DIRECTION', 'STATUS', 'CONVERSATION', 'TARGET', 'MODE', 'BINDING'];

/** A channel, and a line for each of its bindings. */
function rows({ id, transport, direction, status, bindings }: Channel): string[][] {
  const channel = [id, oneLine(transport, 64), direction, status];
  if (bindings.length === 0) return [[...channel, '-', '-', '-', '-']];
  return bindings.map(({ conversationId, target, mode, bindingId }) => [...channel, oneLine(conversationId, 60), target, mode, bindingId]);
}

const describe = ({ bindingId, channelId, conversationId, target, mode }: ChannelBinding): string =>
  `binding ${bindingId}: ${channelId} conversation ${oneLine(conversationId, 60)} → ${target} (${mode})`;
