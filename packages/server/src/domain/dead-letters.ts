import type { Change, DeadLetterWrite } from './change.ts';
import type { Rule } from './rule.ts';

/** Mail of people that did not arrive waits for one of them, until it arrives after all, is taken back or dismissed. */
export const notesDeadLetters: Rule = (facts, change) => {
  const isOfPerson = (from: string) => facts.agent(from)?.agent?.kind === 'user';
  const noted = endsIn(change).filter(({ status, from }) => status !== 'waits' || isOfPerson(from));
  return noted.length === 0 ? change : { ...change, deadLetters: [...(change.deadLetters ?? []), ...noted] };
};

function endsIn({ deliveries = [], events = [], emptied = [] }: Change): DeadLetterWrite[] {
  const noted: DeadLetterWrite[] = [];
  for (const { messageId, from, next } of deliveries) {
    const hasFailed = next.state === 'failed' || next.state === 'expired';
    if (hasFailed || next.late) noted.push({ messageId, from, status: hasFailed ? 'waits' : 'arrived' });
  }
  // What was fanned out expires without a row for each.
  for (const event of events)
    if (event.type === 'delivery.expired') noted.push({ messageId: event.messageId, from: event.from, status: 'waits' });
  for (const { id: messageId, from } of emptied) noted.push({ messageId, from, status: 'over' });
  return noted;
}
