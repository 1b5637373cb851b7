import type { Change } from './change.ts';
import { nextReceipt } from './delivery-changes.ts';
import type { Decision, RemovalFacts } from './facts.ts';
import { type LostMail, noticesToSenders } from './notices.ts';

export interface Removal {
  readonly id: string;
  readonly reason: string;
  /** Who removes it; null when the relay forgets one that has been gone for long. */
  readonly by: string | null;
  readonly now: number;
  /** What the steps before have lost. */
  readonly lost: readonly LostMail[];
}

/** One step of removing an address: what waits for it fails, and in the last step it goes and the senders are told, once each. Answers what was lost. */
export function removalStep({ waiting, isLast }: RemovalFacts, removal: Removal): Decision<readonly LostMail[]> {
  const { id, reason, by, now } = removal;
  const failed = waiting.flatMap((found) => {
    const receipt = nextReceipt(found, { state: 'failed', reason }, now);
    return receipt ? [{ message: found.message, receipt }] : [];
  });
  const lost = failed.map(({ message }): LostMail => ({ id: message.id, from: message.from, kind: message.kind }));
  const step: Change = { at: now, deliveries: failed.map(({ receipt }) => receipt) };
  if (!isLast) return { answer: lost, change: step };
  const notices = noticesToSenders(
    [...removal.lost, ...lost],
    (messages) => ({
      body: `${id} was removed before it had read ${messages.length === 1 ? `message ${messages[0]?.id}` : `${messages.length} of your messages`}.`,
      payload: { type: 'agent.removed', agentId: id, count: messages.length },
    }),
    now,
  );
  return {
    answer: lost,
    change: {
      ...step,
      events: [{ type: 'agent.removed', at: now, agentId: id }],
      agents: [{ id, agent: null, spawnedBy: null, because: reason }],
      revokeAgentTokens: [id],
      // What it did may still be shown once it has been gone for long, and not once somebody wanted it gone.
      ...(by === null ? {} : { revokeSharesOf: { agentId: id, by } }),
      notices,
    },
  };
}
