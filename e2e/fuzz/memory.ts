import type { Random } from '../crash/seeded.ts';
import { type Kind, Remembered } from './input-arbitrary.ts';
import { below, pick } from './random.ts';

type Thing = Readonly<Record<string, unknown>>;

/** Older things are forgotten, so that a long run works with what is still there. */
const KEPT = 60;

/**
 * What the relay has told of so far: agents, messages, claims with their fences, pairs, tasks, tokens. Requests made of it reach states
 * that no input reaches by chance. Nothing here knows a route: things are found by where they stood and by their fields.
 */
export class Memory {
  readonly #byNoun = new Map<string, Thing[]>();
  readonly #byField = new Map<string, Thing[]>();
  readonly #tokens: string[] = [];

  /** `noun`: the first segment of the path that answered. */
  learn(noun: string, answer: unknown): void {
    if (Array.isArray(answer)) for (const item of answer.slice(0, 8)) this.learn(noun, item);
    else if (typeof answer === 'object' && answer !== null) this.#learnThing(noun, answer as Thing); // it is an object
  }

  /** A thing whose fields could fill this path, if one is known. */
  thingFor(noun: string, parameters: readonly string[], random: Random): Thing | undefined {
    const [first = 'id'] = parameters;
    const ownId = `${noun.slice(0, -1)}Id`;
    const things = first === 'id' ? (this.#byNoun.get(noun) ?? this.#byField.get(ownId)) : this.#byField.get(first);
    if (!things || things.length === 0) return undefined;
    const thing = pick(random, things);
    return 'id' in thing || !(ownId in thing) ? thing : { ...thing, id: thing[ownId] };
  }

  token(random: Random): string | undefined {
    return this.#tokens.length === 0 ? undefined : pick(random, this.#tokens);
  }

  /** Its agent has a newer epoch, or it was revoked. */
  forgetToken(headers: readonly (readonly [string, string])[]): void {
    for (const [, value] of headers) {
      const place = this.#tokens.findIndex((token) => value.endsWith(token));
      if (place !== -1) this.#tokens.splice(place, 1);
    }
  }

  /** The input with everything remembered in its place; most of it from one thing, so that an id goes with its own fence and epoch. */
  fill(value: unknown, thing: Thing | undefined, random: Random): unknown {
    if (value instanceof Remembered) return this.#recall(value, thing, random);
    if (Array.isArray(value)) return value.map((item) => this.fill(item, thing, random));
    if (typeof value !== 'object' || value === null) return value;
    const filled: Record<string, unknown> = Object.create(null);
    for (const [key, item] of Object.entries(value)) {
      const found = this.fill(item, thing, random);
      if (found !== undefined) filled[key] = found;
    }
    return filled;
  }

  #recall({ field, kind, otherwise }: Remembered, thing: Thing | undefined, random: Random): unknown {
    if (random() < 0.12) return otherwise;
    const own = thing?.[field];
    if (typeof own === typeof otherwise && random() < 0.8) return own;
    // The epoch of one agent is stale for another: mostly it is left out.
    if ((field === 'epoch' || field === 'instanceId') && random() < 0.8) return undefined;
    const known = kind === undefined || kind === 'opaque' ? this.#valueOf(field, random) : this.#ofKind(kind, random);
    return known ?? otherwise;
  }

  #ofKind(kind: Exclude<Kind, 'opaque'>, random: Random): unknown {
    switch (kind) {
      case 'agent':
        return random() < 0.7 ? `agent-${below(random, 12)}` : (this.#idOf('agents', random) ?? 'owner');
      case 'message':
        return this.#idOf(pick(random, ['messages', 'tasks', 'pairs', 'messages']), random);
      case 'cursor':
        return this.#valueOf('cursor', random);
      case 'epoch':
        return this.#valueOf('epoch', random);
      case 'group':
        return `group-${below(random, 4)}`;
      case 'label':
        return `label ${below(random, 4)}`;
      case 'address':
        return this.#address(random);
    }
  }

  #address(random: Random): string {
    const agent = `agent-${below(random, 12)}`;
    const group = `group-${below(random, 4)}`;
    const forms = [agent, agent, `id:${agent}`, 'owner', `tag:${group}`, `cap:${group}`, `#${group}`, `label:label ${below(random, 4)}`];
    return pick(
      random,
      random() < 0.9 ? forms : ['broadcast', `channel:${group}`, 'machine:box', 'nobody', 'id:', 'tag:', ':', '#', 'id:id:id:x'],
    );
  }

  #idOf(noun: string, random: Random): unknown {
    const things = this.#byNoun.get(noun);
    return things && things.length > 0 ? pick(random, things)['id'] : undefined;
  }

  #valueOf(field: string, random: Random): unknown {
    for (const name of [field, `${field}Id`]) {
      const things = this.#byField.get(name);
      if (things && things.length > 0) return pick(random, things)[name];
    }
    return undefined;
  }

  #learnThing(noun: string, told: Thing): void {
    const thing = withRoles(told);
    if ('id' in thing) keep(this.#byNoun, noun, thing);
    for (const [key, value] of Object.entries(thing)) {
      if (typeof value === 'object' && value !== null) this.learn(key === 'data' ? noun : nounOf(key), value);
      else if (value !== null && isKey.test(key)) keep(this.#byField, key, thing);
      if (key === 'token' && typeof value === 'string' && value.startsWith('ar_')) ring(this.#tokens, value);
    }
  }
}

/** What the one side of a pair that has something to do next would say of itself. */
const withRoles = (thing: Thing): Thing =>
  typeof thing['requester'] === 'string' ? { ...thing, agentId: thing['target'], from: thing['requester'] } : thing;

const isKey = /^(?:cursor|epoch|fence|seq|provider|code)$|(?:Id|Key|Seq)$/u;

/** The one claim in an answer stands under `claim`, many under `claims`. */
const nounOf = (key: string): string => (key.endsWith('s') ? key : `${key}s`);

function keep(rings: Map<string, Thing[]>, key: string, thing: Thing): void {
  const things = rings.get(key) ?? [];
  rings.set(key, things);
  ring(things, thing);
}

function ring<Item>(items: Item[], item: Item): void {
  items.push(item);
  if (items.length > KEPT) items.shift();
}
