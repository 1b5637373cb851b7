import type { RelayClient } from 'agent-relay-client';
import type { ActivityEntry, Delivery, RelayEvent } from 'agent-relay-protocol';

/** What of the promises about an agent's mail and its activity did not hold, in words. */
export async function judgeAgent(client: RelayClient, agentId: string, sent: readonly number[]): Promise<readonly string[]> {
  const entries = await activityOf(client, agentId);
  const receipts = await Promise.all(sent.map(async (id) => (await client.messages.deliveries({ id })).data));
  return [...gapsIn(agentId, entries), ...misreadBy(agentId, entries, sent), ...receipts.flatMap((copies) => untrue(copies, entries))];
}

/** What one reader was given over all its connections is the log, as it is read in one go. */
export function judgeFollower(followed: readonly RelayEvent[], log: readonly RelayEvent[]): readonly string[] {
  const written = (events: readonly RelayEvent[]) => events.map(({ seq, type }) => `${seq} ${type}`);
  const [one, other] = [written(followed), written(log)];
  const at = one.findIndex((line, index) => line !== other[index]);
  const differs = at === -1 && one.length === other.length ? [] : [`the follower had ${one[at]} where the log has ${other[at]}`];
  const disordered = log.filter(({ seq }, index) => seq < (log[index - 1]?.seq ?? 0));
  return [...differs, ...disordered.map(({ seq }) => `the log has event ${seq} behind a later one`)];
}

async function activityOf(client: RelayClient, id: string): Promise<readonly ActivityEntry[]> {
  const entries: ActivityEntry[] = [];
  for (let since: number | undefined = 0; since !== undefined; ) {
    const page: Awaited<ReturnType<typeof client.agents.activity>> = await client.agents.activity({ id, since, limit: 1000 });
    entries.push(...page.data);
    since = page.nextCursor;
  }
  return entries;
}

/** Each session numbers what it tells from 1, and all of it is there. */
function gapsIn(agentId: string, entries: readonly ActivityEntry[]): readonly string[] {
  return [...new Set(entries.map(({ sessionId }) => sessionId))].flatMap((sessionId) => {
    const numbers = entries.filter((entry) => entry.sessionId === sessionId).map(({ seq }) => seq);
    const isWhole = numbers.every((seq, index) => seq === index + 1);
    return isWhole ? [] : [`session ${sessionId} of ${agentId} told ${numbers.join()}`];
  });
}

/** All of it, in order; twice only what a session had that was killed with it. */
function misreadBy(agentId: string, entries: readonly ActivityEntry[], sent: readonly number[]): readonly string[] {
  const readIn = new Map<number, string[]>();
  for (const { event, sessionId } of entries)
    if (event.type === 'user.message') for (const id of event.messageIds ?? []) readIn.set(id, [...(readIn.get(id) ?? []), sessionId]);
  const order = [...readIn.keys()].filter((id) => sent.includes(id));
  const twice = [...readIn].filter(([, sessions]) => new Set(sessions).size < sessions.length);
  return [
    ...(order.join() === sent.join() ? [] : [`${agentId} was sent ${sent.join()} and read ${order.join()}`]),
    ...twice.map(([id]) => `${agentId} read message ${id} twice in one session`),
  ];
}

/** A receipt says that an agent has seen something exactly where its runtime said so. What it took and did not read died with its session, and says so. */
function untrue(copies: readonly Delivery[], entries: readonly ActivityEntry[]): readonly string[] {
  const seen = new Set(
    entries.flatMap(({ event }) => (event.type === 'input.accepted' && event.state !== 'delivered' ? [event.messageId] : [])),
  );
  const living = entries.at(-1)?.sessionId;
  const readerOf = (id: number) =>
    entries.findLast(({ event }) => event.type === 'user.message' && event.messageIds?.includes(id))?.sessionId;
  return copies.flatMap(({ messageId, agentId, state, reason }) => {
    const isConfirmed = state === 'seen' || state === 'answered';
    const hasDied = readerOf(messageId) !== living;
    const isTrue = seen.has(messageId) ? isConfirmed : state === 'delivered' && hasDied && reason !== null;
    return isTrue ? [] : [`message ${messageId} is ${state} (${reason}), and ${agentId} ${seen.has(messageId) ? 'saw' : 'did not see'} it`];
  });
}
