import { createHash } from 'node:crypto';
import type { Message } from 'agent-relay-protocol';
import type { Clock } from '../../clock.ts';
import { isDirect } from '../../domain/audience.ts';
import { type Breach, continueConversation, type GuardLimits, isGuarded, type Talk } from '../../domain/loop-guard.ts';
import { type TokenUse, tokensInHour, withTokens } from '../../domain/token-use.ts';

/** Conversations remembered at once; the ones nobody has had for longest are forgotten first. */
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
  readonly #conversations = new Map<string, Talk>();
  readonly #tokens = new Map<string, TokenUse>();
  /** How it was before the turn of writes that is being decided: what was counted in it may not happen. */
  readonly #before = new Map<string, Talk | undefined>();

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
      const before = this.#conversations.get(place.key);
      const { after } = this.#continue(place, message);
      if (after === before) continue;
      if (!this.#before.has(place.key)) this.#before.set(place.key, before);
      this.#conversations.delete(place.key);
      this.#conversations.set(place.key, after);
    }
  }

  /** What was counted has happened. */
  committed(): void {
    this.#before.clear();
    for (const oldest of this.#conversations.keys()) {
      if (this.#conversations.size <= REMEMBERED) break;
      this.#conversations.delete(oldest);
    }
  }

  /** What was counted since the last commit has not happened. */
  rolledBack(): void {
    for (const [key, before] of this.#before) {
      if (before === undefined) this.#conversations.delete(key);
      else this.#conversations.set(key, before);
    }
    this.#before.clear();
  }

  /** A person has looked: what was counted where this message belongs begins anew, and so does its recipient's hour. */
  forgive(workspace: string, message: GuardedMessage): void {
    for (const { key } of this.#placesOf(workspace, message)) this.#conversations.delete(key);
    if (isDirect(message.to)) this.#tokens.delete(keyOf(workspace, message.to.slice(3)));
  }

  /** An agent's turn has cost this. */
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
