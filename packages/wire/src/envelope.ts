import { ChannelMetaSchema, type Expectation, type InboxItem, readLoosely } from 'agent-relay-protocol';
import { escapeLookAlikes } from './model-text.ts';
import { withoutUnseen } from './plain-text.ts';

/**
 * One message as an agent reads it: `[msg:42] from backend-agent: …` and a closing line with a nonce that the sender could not know,
 * so nothing in a body can end the envelope or begin another.
 */
export function formatEnvelope({ message, nonce }: Pick<InboxItem, 'message' | 'nonce'>): string {
  const who = personOf(message);
  const where = message.channel === null ? '' : ` on #${escapeLookAlikes(message.channel)}`;
  const subject = message.subject === null ? '' : `${escapeLookAlikes(message.subject)}\n`;
  const claimable = message.claimable ? ' claimable' : '';
  const expected = message.expects === undefined ? '' : ` ${expectationOf(message.expects)}`;
  const hops = message.hops === 0 ? '' : ` hops:${message.hops}`;
  return `[msg:${message.id}] from ${message.from}${who}${where}: ${subject}${escapeLookAlikes(message.body)}\n[end msg:${message.id} ${message.sender.relation}${claimable}${expected}${hops} ${nonce}]`;
}

const expectationOf = ({ withinMs }: Expectation): string =>
  withinMs === undefined ? 'reply-expected' : `reply-within:${Math.ceil(withinMs / 1000)}s`;

/**
 * The person outside on whose behalf a channel wrote: a name that anybody may choose, so it is kept short, on one line and out of brackets. What others
 * than channels write into `meta` names nobody.
 */
function personOf({ meta, sender }: InboxItem['message']): string {
  if (sender.relation !== 'channel') return '';
  const told = readLoosely(ChannelMetaSchema, meta?.['channel']);
  if (!told) return '';
  const name = withoutUnseen(told.senderName.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Ps}\p{Pe}]/gu, ' ')).trim();
  return name === '' ? '' : ` (${[...name].slice(0, 80).join('')})`;
}
