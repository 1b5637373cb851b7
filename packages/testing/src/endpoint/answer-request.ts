import { randomUUID } from 'node:crypto';
import type { ModelRequest } from '../model/model-request.ts';
import { type Dialect, planTurn } from '../model/plan.ts';
import type { Model, ModelStep } from '../model/steps.ts';
import { type AnswerWriter, playAnswer } from './answer-writer.ts';

/** What a vendor's reader makes of a request. */
export interface ReadRequest {
  readonly request: ModelRequest;
  /** Ids of the fake's own preparing calls whose results are the newest thing in the conversation. */
  readonly preparedCallIds: readonly string[];
  /** A request of the CLI for itself, such as for a title; the script is not asked. */
  readonly isSideCall: boolean;
}

interface Suspended {
  readonly steps: readonly ModelStep[];
  readonly prepared: ReadonlySet<string>;
}

const preparationMark = '_prepare_';
const suspendedKept = 256;

/** Whether a call is one of the fake's own, which scripts do not see. */
export const isPreparation = (callId: string): boolean => callId.includes(preparationMark);

/** Asks the script and writes its answer; holds what a script wants to call until the CLI has offered it. */
export class RequestAnswerer {
  readonly #suspended = new Map<string, Suspended>();
  readonly #model: Model;
  readonly #dialect: Dialect;
  readonly #callIdPrefix: string;

  constructor({ model, dialect, callIdPrefix }: { model: Model; dialect: Dialect; callIdPrefix: string }) {
    this.#model = model;
    this.#dialect = dialect;
    this.#callIdPrefix = callIdPrefix;
  }

  async answer(
    read: ReadRequest,
    { writer, signal, report }: { writer: AnswerWriter; signal: AbortSignal; report: (violation: string) => void },
  ): Promise<void> {
    const refuse = (violation: string): void => {
      report(violation);
      writer.fail(400, 'invalid_request_error', violation);
    };
    // Not forgotten when found: a CLI may send the same request again.
    const held = read.preparedCallIds.map((callId) => this.#suspended.get(callId)).find((suspended) => suspended !== undefined);
    let steps: readonly ModelStep[];
    try {
      steps = held?.steps ?? (await this.#ask(read));
    } catch (error) {
      return refuse(`The model script failed: ${error instanceof Error ? error.message : String(error)}`);
    }
    const plan = planTurn(steps, read.request, this.#dialect, held?.prepared ?? new Set());
    if (plan.kind === 'violation') return refuse(plan.message);
    if (plan.kind === 'answer') {
      return playAnswer(plan.steps, { writer, signal, newCallId: () => `${this.#callIdPrefix}${randomUUID()}` });
    }
    const id = randomUUID();
    const callIds = plan.calls.map((_, index) => `${this.#callIdPrefix}${preparationMark.slice(1)}${id}_${index}`);
    this.#suspend(callIds, { steps, prepared: plan.prepared });
    for (const [index, call] of plan.calls.entries()) writer.call(call, callIds[index] ?? id);
    writer.end();
  }

  async #ask({ request, isSideCall }: ReadRequest): Promise<readonly ModelStep[]> {
    if (isSideCall) return [{ kind: 'say', text: '{"title":"A title"}', chunks: 1, delayMs: 0 }];
    const answer = await this.#model(request);
    return Array.isArray(answer) ? answer : [answer as ModelStep]; // Array.isArray does not narrow a readonly array away
  }

  #suspend(callIds: readonly string[], suspended: Suspended): void {
    for (const callId of callIds) this.#suspended.set(callId, suspended);
    for (const callId of this.#suspended.keys()) {
      if (this.#suspended.size <= suspendedKept) return;
      this.#suspended.delete(callId);
    }
  }
}
