import type { Message } from 'agent-relay-protocol';
import { clockTime, indented, oneLine } from './terminal.ts';

/** A whole message for people. */
export function describeMessage(message: Message): string {
  const channel = message.channel === null ? '' : ` on #${message.channel}`;
  const subject = message.subject === null ? '' : `${oneLine(message.subject)}\n    `;
  return `[msg:${message.id}] ${clockTime(message.createdAt)} from ${message.from}${channel}: ${subject}${indented(message.body)}`;
}
