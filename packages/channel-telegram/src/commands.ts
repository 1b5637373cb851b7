import { type Agent, RelayError } from 'agent-relay-protocol';
import type { Binding, ChannelPort } from './channel-port.ts';
import { conversationIdOf } from './telegram/place.ts';
import type { CommandMessage, CommandName } from './telegram/read-message.ts';

/** What Telegram offers when somebody types a slash. */
export const commandMenu: readonly { readonly command: CommandName; readonly description: string }[] = [
  { command: 'status', description: 'Who is bound to this chat, and whether they are there' },
  { command: 'agents', description: 'The agents of the relay' },
  { command: 'bind', description: 'Say who gets what is written here, e.g. /bind Worker' },
  { command: 'unbind', description: 'Let nobody get it any more' },
  { command: 'help', description: 'What this bot does' },
];

const help = [
  'What you write here goes to the agent that is bound to this chat, and its answers come back. Reply to a message to stay in its thread.',
  '',
  '/bind TARGET – an agent (Worker) or a group (tag:backend) gets what is written here',
  '/unbind – nobody gets it any more',
  '/status – who is bound to this chat, and whether they are there',
  '/agents – the agents of the relay',
].join('\n');

const MAX_AGENTS_LISTED = 50;

/** Does what the command says and answers what to say about it. */
export async function answerCommand({ name, argument, place }: CommandMessage, port: ChannelPort): Promise<string> {
  const conversationId = conversationIdOf(place);
  try {
    switch (name) {
      case 'start':
      case 'help':
        return help;
      case 'agents':
        return describeAgents(await port.agents());
      case 'status':
        return describeBindings(boundTo(conversationId, await port.bindings()), await port.agents());
      case 'bind':
        if (argument === '') return 'Bind whom? For example: /bind Worker\n/agents lists who is there.';
        return `What is written here now goes to ${(await port.bind({ conversationId, target: argument })).target}.`;
      case 'unbind':
        return await unbind(conversationId, port);
    }
  } catch (error) {
    if (!(error instanceof RelayError)) throw error;
    if (error.retryable) return 'The relay cannot be reached at the moment. Please try again in a while.';
    if (error.code === 'busy') return `${error.message}\n/unbind ends what is bound now.`;
    return `The relay said no: ${error.message}`;
  }
}

/** Bindings of this very conversation, else those for every conversation that has none. */
export function boundTo(conversationId: string, bindings: readonly Binding[]): readonly Binding[] {
  const own = bindings.filter((binding) => binding.conversationId === conversationId);
  return own.length > 0 ? own : bindings.filter((binding) => binding.conversationId === '*');
}

async function unbind(conversationId: string, port: ChannelPort): Promise<string> {
  const bound = boundTo(conversationId, await port.bindings());
  if (bound.length === 0) return 'Nobody is bound to this chat.';
  if (bound.some((binding) => binding.conversationId === '*'))
    return 'This chat is bound with all others at once; that is ended at the relay.';
  for (const { bindingId } of bound) await port.unbind(bindingId);
  return `What is written here no longer goes to ${bound.map(({ target }) => target).join(', ')}.`;
}

function describeBindings(bound: readonly Binding[], agents: readonly Agent[]): string {
  if (bound.length === 0) return 'Nobody is bound to this chat. /bind Worker binds the agent Worker.';
  const lines = bound.map(({ target, mode }) => {
    const agent = agents.find(({ id }) => target === `id:${id}`);
    const state = target.startsWith('id:') ? ` – ${agent?.status ?? 'not registered'}` : '';
    return `${target}${state}${mode === 'fanout' ? ' (each gets a copy)' : ''}`;
  });
  return ['What is written here goes to:', ...lines].join('\n');
}

function describeAgents(all: readonly Agent[]): string {
  const agents = all.filter(({ kind }) => kind !== 'channel' && kind !== 'system');
  if (agents.length === 0) return 'The relay knows no agents yet.';
  const lines = agents.slice(0, MAX_AGENTS_LISTED).map(({ id, label, status, tags }) => {
    return [`${id} – ${status}`, label === null ? '' : `, ${label}`, ...tags.map((tag) => ` tag:${tag}`)].join('');
  });
  return [...lines, ...(agents.length > MAX_AGENTS_LISTED ? [`and ${agents.length - MAX_AGENTS_LISTED} more`] : [])].join('\n');
}
