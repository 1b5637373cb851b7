import type { Histories } from './history.ts';

/** Every broken promise, in words; empty when the histories keep all of them. */
export function findViolations(histories: Histories): readonly string[] {
  return [...checkSends(histories), ...checkInboxes(histories), ...checkCompletions(histories), ...checkReaders(histories)];
}

/** No acknowledged message is lost, changed or stored twice. */
function* checkSends({ sends, log }: Histories): Generator<string> {
  const stored = new Map<number, string>();
  const copies = new Map<string, number>();
  for (const event of log) {
    if (event.type !== 'message.new') continue;
    stored.set(event.message.id, event.message.body);
    copies.set(event.message.body, (copies.get(event.message.body) ?? 0) + 1);
  }
  for (const { key, id, body } of sends) {
    if (stored.get(id) !== body) yield `acknowledged message ${id} (${key}) is ${stored.has(id) ? 'changed' : 'lost'}`;
    const times = copies.get(body) ?? 0;
    if (times > 1) yield `message ${key} is stored ${times} times`;
  }
}

/** What a deliverer acknowledged is never handed over again. */
function* checkInboxes({ inboxes }: Histories): Generator<string> {
  for (const [agent, steps] of inboxes) {
    const acknowledged = new Set<number>();
    for (const { step, id } of steps) {
      if (step === 'acknowledged') acknowledged.add(id);
      else if (acknowledged.has(id)) yield `${agent} was given message ${id} again after its acknowledgement was accepted`;
    }
  }
}

/** Exactly one completion of a piece of work is ever accepted; repeating it under the same fence is the same completion. */
function* checkCompletions({ completions }: Histories): Generator<string> {
  const winners = new Map<number, string>();
  for (const { subjectId, fence, racer } of completions) {
    const winner = `${racer} under fence ${fence}`;
    const earlier = winners.get(subjectId);
    if (earlier !== undefined && earlier !== winner) yield `work ${subjectId} was completed twice: by ${earlier} and by ${winner}`;
    winners.set(subjectId, winner);
  }
}

/** A reader that resumed by its cursor got every event of the log, once, in order. */
function* checkReaders({ readers, log }: Histories): Generator<string> {
  for (const [name, { from, events }] of readers) {
    const expected = log.filter(({ seq }) => seq > from);
    for (const [index, event] of events.entries()) {
      const wanted = expected[index];
      if (wanted === undefined || wanted.seq !== event.seq || wanted.type !== event.type) {
        yield `${name} was given ${event.type} at ${event.seq} where the log has ${wanted ? `${wanted.type} at ${wanted.seq}` : 'nothing'}`;
        break;
      }
    }
    if (events.length < expected.length) yield `${name} stopped ${expected.length - events.length} events before the end of the log`;
  }
}
