import { RelayError } from 'agent-relay-protocol';
import { RecentMap, type RequestContext } from 'agent-relay-wire';
import { z } from 'zod';
import type { KnownNotification } from './notifications.ts';

/** Something Codex asks of its client and waits for, such as an approval. */
export interface ServerRequest {
  readonly id: string | number;
  readonly method: string;
  readonly params: unknown;
  /** Aborts when another client answered first, or the turn ended without an answer. */
  readonly signal: AbortSignal;
  /** Where a sub-agent asks: the turn and the call of the thread that started it. `params` names the sub-agent's own. */
  readonly startedBy?: { readonly turnId: string; readonly itemId: string };
}

/** Answers a request; throwing a RelayError refuses it, which Codex takes for a no. */
export type AnswerServerRequest = (request: ServerRequest) => unknown;

export interface OpenRequest {
  readonly answer: Promise<unknown>;
  readonly controller: AbortController;
}

const remembered = 1024;

/**
 * Hands each request to its thread once. After a reconnect Codex repeats what is still open under the same id; the repetition gets the
 * answer that the first one is getting, or got on a connection that could no longer carry it.
 */
export class ServerRequests {
  readonly #open = new RecentMap<string, OpenRequest>(remembered);

  answer(context: Pick<RequestContext, 'id' | 'method'>, params: unknown, answerWith: AnswerServerRequest): Promise<unknown> {
    // Ids begin again at 0 in a new server, so the id alone does not say that it is the same question.
    const key = `${context.id} ${context.method} ${JSON.stringify(params)}`;
    const known = this.#open.get(key);
    if (known) return known.answer;
    const controller = new AbortController();
    const request = { id: context.id, method: context.method, params, signal: controller.signal };
    const answer = Promise.resolve().then(() => answerWith(request));
    // Its own connection reports a refusal; this keeps one that is only remembered from counting as unhandled.
    answer.catch(() => {});
    this.#open.set(key, { answer, controller });
    return answer;
  }

  resolved({ params }: Extract<KnownNotification, { method: 'serverRequest/resolved' }>): void {
    for (const [key, { controller }] of this.#open) {
      if (!key.startsWith(`${params.requestId} `)) continue;
      this.#open.delete(key);
      controller.abort(new RelayError('gone', 'The request was answered elsewhere or is over'));
    }
  }

  /** Nobody takes an answer to what is open any more. */
  withdraw(reason: RelayError): void {
    for (const { controller } of this.#open.values()) controller.abort(reason);
    this.#open.clear();
  }
}

const InTurn = z.looseObject({ turnId: z.string() });

/** The turn of the thread that answers a request. */
export const turnIdOf = ({ params, startedBy }: Pick<ServerRequest, 'params' | 'startedBy'>): string | undefined =>
  startedBy?.turnId ?? InTurn.safeParse(params).data?.turnId;

/** Reads a request's parameters; one that does not look as expected is refused. */
export function parseRequest<Schema extends z.ZodType>(schema: Schema, request: ServerRequest): z.output<Schema> {
  const parsed = schema.safeParse(request.params);
  if (parsed.success) return parsed.data;
  throw new RelayError('unsupported', `This client does not know this form of ${request.method}`, { cause: parsed.error });
}
