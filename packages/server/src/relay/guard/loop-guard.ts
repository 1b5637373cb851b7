import { createHash } from 'node:crypto';
import type { Message } from 'agent-relay-protocol';
import type { Clock } from '../../clock.ts';
import { isDirect } from '../../domain/audience.ts';
import { type Breach, continueConversation, type GuardLimits, isGuarded, type Talk } from '../../domain/loop-guard.ts';
import { type TokenUse, tokensInHour, withTokens } from '../../domain/token-use.ts';
import { TurnMap } from './turn-map.ts';

/** Conversations, and agents that use tokens, remembered at once. */
const REMEMBERED = 10_000;

/** What the guard looks at; a held message has no number yet, so its thread may be null. */
export type GuardedMessage = Pick<Message, 'from' | 'to' | 'body' | 'sender' | 'hops'> & { readonly threadId: number | null };

interface Place {
  readonly key: string;
  readonly rule: 'pair_rate' | 'thread_rate';
  readonly perMinute: number;
  readonly repeats: number;
}

/**
 * Watches what agents say to each other, so that two of them cannot keep each other busy for ever while nobody looks. It decides nothing
 * for good: what breaks a limit is held until a person decides. Memory only: a restart begins anew, with the hops that messages carry.
 */
export class LoopGuard {
  readonly #clock: Clock;
  readonly #limits: GuardLimits;
  readonly #conversations = new TurnMap<Talk>(REMEMBERED);
  readonly #tokens = new TurnMap<TokenUse>(REMEMBERED);

  constructor(clock: Clock, limits: GuardLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** What sending this now would break; changes nothing. */
  check(workspace: string, message: GuardedMessage): Breach | null {
    if (!isGuarded(message.sender.relation)) return null;
    const { hops, tokensPerHour } = this.#limits;
    if (hops > 0 && message.hops > hops) {
      return { rule: 'hops', reason: `Agents have answered each other ${times(hops)} in this thread without a person` };
    }
    if (tokensPerHour > 0 && isDirect(message.to)) {
      const recipient = message.to.slice(3);
      const used = tokensInHour(this.#tokens.get(keyOf(workspace, recipient)) ?? [], this.#clock.now());
      if (used >= tokensPerHour) {
        return { rule: 'token_budget', reason: `${recipient} has used ${used} tokens in an hour, its budget is ${tokensPerHour}` };
      }
    }
    for (const place of this.#placesOf(workspace, message)) {
      const { broken } = this.#continue(place, message);
      if (broken === 'repeats') {
        return { rule: 'repeats', reason: `${message.from} has said the same ${times(place.repeats)} in a row to ${message.to}` };
      }
      if (broken === 'rate') return { rule: place.rule, reason: rateReason(place, message) };
    }
    return null;
  }

  /** The message is sent. Asked inside the write that decides so, so that the next decision of the same turn knows of it. */
  count(workspace: string, message: GuardedMessage): void {
    if (!isGuarded(message.sender.relation)) return;
    for (const place of this.#placesOf(workspace, message)) {
      const { after } = this.#continue(place, message);
      if (after !== this.#conversations.get(place.key)) this.#conversations.set(place.key, after);
    }
  }

  /** What was counted has happened. */
  committed(): void {
    this.#conversations.committed();
    this.#tokens.committed();
  }

  /** What was counted since the last commit has not happened. */
  rolledBack(): void {
    this.#conversations.rolledBack();
    this.#tokens.rolledBack();
  }

  /** A person has looked: what was counted where this message belongs begins anew, and so does its recipient's hour. As `count`, inside the write. */
  forgive(workspace: string, message: GuardedMessage): void {
    for (const { key } of this.#placesOf(workspace, message)) this.#conversations.set(key, undefined);
    if (isDirect(message.to)) this.#tokens.set(keyOf(workspace, message.to.slice(3)), undefined);
  }

  /** An agent's turn has cost this. As `count`, inside the write. */
  used(workspace: string, agentId: string, tokens: number): void {
    if (tokens === 0 || this.#limits.tokensPerHour === 0) return;
    const key = keyOf(workspace, agentId);
    this.#tokens.set(key, withTokens(this.#tokens.get(key) ?? [], tokens, this.#clock.now()));
  }

  #continue({ key, perMinute, repeats }: Place, { from, body }: GuardedMessage): ReturnType<typeof continueConversation> {
    const said = { from, digest: () => createHash('sha256').update(body).digest('base64url') };
    return continueConversation(this.#conversations.get(key), said, { perMinute, repeats }, this.#clock.now());
  }

  #placesOf(workspace: string, { from, to, threadId, hops }: GuardedMessage): readonly Place[] {
    const { pairPerMinute, threadPerMinute, repeats } = this.#limits;
    const places: Place[] = [];
    if (pairPerMinute > 0 || repeats > 0) {
      const key = keyOf(workspace, isDirect(to) ? pairKey(from, to.slice(3)) : to);
      places.push({ key, rule: 'pair_rate', perMinute: pairPerMinute, repeats });
    }
    if (threadPerMinute > 0 && hops > 0 && threadId !== null) {
      places.push({ key: keyOf(workspace, `thread ${threadId}`), rule: 'thread_rate', perMinute: threadPerMinute, repeats: 0 });
    }
    return places;
  }
}

function rateReason({ rule, perMinute }: Place, { from, to }: GuardedMessage): string {
  if (rule === 'thread_rate') return `Agents exchange more than ${perMinute} messages a minute in this thread`;
  const who = isDirect(to) ? `${from} and ${to.slice(3)} exchange` : `The agents at ${to} exchange`;
  return `${who} more than ${perMinute} messages a minute`;
}

const times = (count: number): string => (count === 1 ? 'once' : `${count} times`);
const keyOf = (workspace: string, name: string): string => `${workspace}\n${name}`;
const pairKey = (one: string, other: string): string => (one < other ? `${one}\n${other}` : `${other}\n${one}`);
