import { randomUUID } from 'node:crypto';
import { type Attempt, askWhileAway, neverArrived } from 'agent-relay-client/node';
import { MCP_PATH, mcpTools, parseInput, RelayError, toolWaitMsOf, VERSION_HEADER } from 'agent-relay-protocol';
import { envelopeMessageIds, parseJson } from 'agent-relay-wire';
import { z } from 'zod';
import type { Outbox } from './outbox.ts';
import type { RelaySide } from './relay-side.ts';

export interface RelayToolsOptions {
  readonly relay: Pick<RelaySide, 'link' | 'state' | 'failure' | 'id' | 'wake'>;
  readonly outbox: Pick<Outbox, 'add'>;
  readonly fetch: typeof globalThis.fetch;
  /** Keeps mail out of the session while a tool may hand out the same. Answers how to go on. */
  readonly holdMail: () => () => void;
  /** The model reads these in what a tool answered. */
  readonly onMail: (messageIds: readonly number[]) => void;
}

export interface ToolReply {
  readonly [key: string]: unknown;
  readonly content: { readonly type: 'text'; readonly text: string }[];
  readonly isError?: boolean;
}

interface Call {
  readonly name: string;
  readonly input: unknown;
  readonly key: string;
}

/** How long the relay may take for an answer, beside what a tool waits for. */
const ANSWER_LIMIT_MS = 20_000;
const ATTEMPTS = 4;
/** What has happened once may not happen again, and the relay does not know it by its key. */
const once: ReadonlySet<string> = new Set(['relay_pair', 'relay_reserve', 'relay_spawn', 'relay_interrupt', 'relay_release']);

const Answered = z.looseObject({
  result: z.looseObject({
    content: z.array(z.looseObject({ type: z.literal('text'), text: z.string() })),
    isError: z.boolean().optional(),
  }),
});

/** The relay's tools for this session. Mail comes in by itself, so there is no inbox to read; what is sent while the relay is away is kept. */
export class RelayTools {
  readonly #options: RelayToolsOptions;

  constructor(options: RelayToolsOptions) {
    this.#options = options;
  }

  /** Never rejects: a model is told what went wrong. */
  async call(name: string, input: unknown): Promise<ToolReply> {
    if (name === 'relay_inbox') return said('Your messages come into your session by themselves; there is nothing to fetch.');
    const goOn = this.#options.holdMail();
    try {
      const answer = await this.#ask({ name, input, key: randomUUID() });
      const mail = envelopeMessageIds(answer.content.map(({ text }) => text).join('\n'));
      if (mail.length > 0) this.#options.onMail(mail);
      return answer;
    } catch (error) {
      return failed(error instanceof RelayError ? `${error.code}: ${error.message}` : 'internal: the plugin of the relay failed');
    } finally {
      goOn();
    }
  }

  async #ask(call: Call): Promise<ToolReply> {
    const { relay } = this.#options;
    if (relay.state === 'replaced') return failed(`Another session has taken over ${relay.id}: this one does not speak as it any more.`);
    let attempts = 0;
    const attempt = async (): Promise<Attempt<ToolReply>> => {
      attempts += 1;
      return relay.link !== null && relay.state === 'connected' ? await this.#once(call, relay.link) : { type: 'refused' };
    };
    const isPatient = () => attempts < ATTEMPTS && relay.link !== null && relay.state === 'connected';
    const outcome = await askWhileAway(attempt, { isRepeatable: !once.has(call.name), isPatient, initialMs: 100 });
    if (outcome.type === 'answered') return outcome.answer;
    const { mayHaveHappened } = outcome;
    return this.#keep(call) ?? failed(mayHaveHappened ? unknownOutcome : `The relay is away, and this was not done. ${this.#why()}`);
  }

  async #once({ name, input, key }: Call, link: NonNullable<RelaySide['link']>): Promise<Attempt<ToolReply>> {
    const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: input ?? {} } };
    const headers = {
      'content-type': 'application/json',
      'idempotency-key': key,
      ...(link.token === undefined ? {} : { authorization: `Bearer ${link.token}` }),
    };
    try {
      const response = await this.#options.fetch(new URL(MCP_PATH, link.url), {
        method: 'POST',
        headers,
        body: JSON.stringify(message),
        signal: AbortSignal.timeout(ANSWER_LIMIT_MS + toolWaitMsOf(name, input)),
      });
      const text = await response.text();
      if (!response.headers.has(VERSION_HEADER) || response.status === 503) return { type: 'lost' };
      const parsed = Answered.safeParse(read(text)).data;
      if (parsed === undefined) return { type: 'answered', answer: failed(`The relay refused it: ${text.slice(0, 500)}`) };
      const { content, isError = false } = parsed.result;
      return { type: 'answered', answer: { content, ...(isError && { isError }) } };
    } catch (error) {
      return { type: neverArrived(error) ? 'refused' : 'lost' };
    }
  }

  /** What may wait for the relay, under the key that it was asked with: sent once, whether it arrived or not. Null for what may not wait. */
  #keep({ name, input, key: idempotencyKey }: Call): ToolReply | null {
    const message = messageToKeep(name, input);
    if (message === null) return null;
    const isOnDisk = this.#options.outbox.add({ type: 'send', message: { ...message, idempotencyKey } });
    this.#options.relay.wake();
    const where = isOnDisk ? 'is kept on this machine' : 'is kept as long as this session lives, for the disk takes nothing,';
    return said(`The relay is away. Your message ${where} and goes out when the relay is back; do not send it again.`);
  }

  #why(): string {
    const { failure } = this.#options.relay;
    return failure === null ? 'Try again later.' : failure.message;
  }
}

const unknownOutcome =
  'The relay went away before it answered, and is not back. Whether this was done is not known: look before you do it again.';

function messageToKeep(name: string, input: unknown) {
  if (name === 'relay_send') {
    const { waitForAnswerMs: _wait, ...message } = parseInput(mcpTools.relay_send.input, input);
    return message;
  }
  if (name !== 'relay_reply') return null;
  const { messageId: replyTo, ...message } = parseInput(mcpTools.relay_reply.input, input);
  return { ...message, replyTo };
}

const said = (text: string): ToolReply => ({ content: [{ type: 'text', text }] });
const failed = (text: string): ToolReply => ({ content: [{ type: 'text', text }], isError: true });

function read(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}
