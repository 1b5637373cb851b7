import type { RouteName } from 'agent-relay-protocol';
import type { Random } from '../crash/seeded.ts';
import { type Credentials, callerHeaders } from './callers.ts';
import type { Findings } from './findings.ts';
import { HttpConnection, type Outcome } from './http-connection.ts';
import { bytesOf, type Draft, draftOf } from './http-request.ts';
import { faultsOf, parsed } from './judge.ts';
import type { Memory } from './memory.ts';
import { spoilInput } from './spoil.ts';
import { brokenBytes, spoilDraft } from './spoil-request.ts';
import { tellStory } from './stories.ts';
import { Chooser, type Target } from './targets.ts';

export interface LaneOptions {
  readonly name: string;
  readonly port: number;
  readonly credentials: Credentials;
  readonly random: Random;
  readonly findings: Findings;
  /** Shared by all: one client claims what another one offered. */
  readonly memory: Memory;
  /** Texts that no answer may hold. */
  readonly secrets: readonly string[];
}

/** How long an answer may take. A busy machine is no fault; a request that is never answered is. */
const HANGS_AFTER_MS = 60_000;
/** How long something that waits by intent is waited for before its client goes away. */
const LEAVES_AFTER_MS = 150;
/** Fields that make a request wait, and routes that wait for a machine. */
const waitsByIntent = /wait(?:Ms|For)|timeoutMs/iu;
const asksMachine = /^(?:sessions\/start|agents\/(?:interrupt|release|remove)|mcp.*)$/u;

/** How many of the requests begin a chain of right ones. */
const STORIES = 0.03;

interface Asked {
  readonly count: number;
  readonly target: Target;
  readonly draft: Draft;
  /** Nothing was done to it but to its input. */
  readonly isAimed: boolean;
  /** It may wait, and its client goes away before the end. */
  readonly isPatient: boolean;
}

/** One client that asks one thing after the other, and learns from the answers. */
export class HttpLane {
  readonly #options: LaneOptions;
  readonly #connection: HttpConnection;
  readonly #chooser: Chooser<Target>;
  readonly #targets: ReadonlyMap<string, Target>;

  constructor(targets: readonly Target[], options: LaneOptions) {
    this.#options = options;
    this.#connection = new HttpConnection(options.port);
    this.#chooser = new Chooser(targets, options.random);
    this.#targets = new Map(targets.map((target) => [target.name, target]));
  }

  async run(requests: number): Promise<void> {
    for (let count = 0; count < requests && this.#options.findings.isOpen; count += 1) await this.#ask(count);
    this.#connection.close();
  }

  async #ask(count: number): Promise<void> {
    const { random, memory, credentials } = this.#options;
    if (random() < STORIES) return void (await tellStory((name, input) => this.#askRightly(count, name, input), random));
    const { item: target, input } = this.#chooser.next();
    const roll = random();
    const filled = memory.fill(input, memory.thingFor(target.noun, target.parameters, random), random);
    const whole = draftOf(target, roll < 0.6 ? filled : spoilInput(filled, random), callerHeaders(credentials, memory, random), count);
    if (roll >= 0.97) return this.#askBroken(count, target, whole);
    const isAimed = roll < 0.85;
    const draft = isAimed ? whole : spoilDraft(whole, random);
    const written = draft.body && draft.body.length < 5_000 ? `${draft.path}${draft.body}` : draft.path;
    const isPatient = waitsByIntent.test(written) || asksMachine.test(target.name);
    await this.#exchange({ count, target, draft, isAimed, isPatient });
  }

  async #askRightly(count: number, name: RouteName, input: Record<string, unknown>): Promise<Record<string, unknown> | null> {
    const target = this.#targets.get(name);
    if (!target) return null;
    const draft = draftOf(target, input, [['authorization', `Bearer ${this.#options.credentials.owner}`]], count);
    const outcome = await this.#exchange({ count, target, draft, isAimed: true, isPatient: false });
    return typeof outcome === 'string' || outcome.status >= 300 ? null : Object(parsed(outcome.text));
  }

  async #exchange(asked: Asked): Promise<Outcome> {
    const bytes = bytesOf(asked.draft);
    const withinMs = asked.isPatient ? LEAVES_AFTER_MS : HANGS_AFTER_MS;
    const outcome = await this.#connection.exchange(bytes, { method: asked.draft.method, withinMs });
    this.#judge({ ...asked, bytes }, outcome);
    return outcome;
  }

  #judge(asked: Asked & { readonly bytes: Buffer }, outcome: Outcome): void {
    const { target, draft, isAimed, isPatient } = asked;
    const { findings, secrets } = this.#options;
    if (typeof outcome === 'string') {
      findings.count(outcome);
      const isExpected = outcome === 'silent' ? isPatient : !isAimed;
      if (!isExpected) this.#report(asked, [outcome === 'silent' ? 'no answer' : 'the connection was closed without an answer']);
      return;
    }
    findings.count(String(outcome.status));
    const { method, path, headers } = draft;
    this.#report(asked, faultsOf({ target, method, path, isAimed }, outcome, secrets), outcome.text);
    if (outcome.status === 401) this.#options.memory.forgetToken(headers);
    if (!isAimed || outcome.status >= 300) return;
    findings.succeeded(target.name);
    if (outcome.text.length < 20_000) this.#options.memory.learn(target.noun, parsed(outcome.text));
  }

  /** On a connection of its own, for it may not be good for anything afterwards. */
  async #askBroken(count: number, target: Target, draft: Draft): Promise<void> {
    const bytes = brokenBytes(bytesOf(draft), this.#options.random);
    const connection = new HttpConnection(this.#options.port);
    const outcome = await connection.exchange(bytes, { method: draft.method, withinMs: 20 });
    connection.close();
    const isServerFault = typeof outcome !== 'string' && outcome.status >= 500;
    this.#options.findings.count(typeof outcome === 'string' ? outcome : String(outcome.status));
    if (isServerFault) this.#report({ count, target, bytes }, [`status ${outcome.status}`], outcome.text);
  }

  #report({ count, target, bytes }: { count: number; target: Target; bytes: Buffer }, faults: readonly string[], answer = ''): void {
    const { findings, name } = this.#options;
    for (const fault of faults) findings.report({ fault, target: target.name, lane: name, count, sent: bytes, answer });
  }
}
