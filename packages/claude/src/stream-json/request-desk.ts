import type { RelayError } from 'agent-relay-protocol';
import { messageOf } from 'agent-relay-protocol';
import { RecentMap } from 'agent-relay-wire';
import {
  type ControlRequestFrame,
  type HookCallback,
  HookCallbackSchema,
  type PermissionRequest,
  PermissionRequestSchema,
} from './frames.ts';
import type { PermissionRule } from './permission-rule.ts';

export type PermissionAnswer =
  /**
   * `updatedInput` is what runs instead of the input; without it the input stays as it is. `rule` is allowed as well until the session ends. Nothing
   * else of what Claude suggests can be answered: it would write settings, or change the mode.
   */
  | { readonly behavior: 'allow'; readonly updatedInput?: Readonly<Record<string, unknown>>; readonly rule?: PermissionRule }
  /** The model reads the message. `interrupt` also ends the turn. */
  | { readonly behavior: 'deny'; readonly message: string; readonly interrupt?: boolean };

/** The signal aborts when Claude withdraws the request, or the connection ends. */
export interface PermissionContext {
  readonly signal: AbortSignal;
}

export interface RequestHandlers {
  /** May wait for a person as long as it takes: Claude sets no time limit. Rejecting refuses the tool. */
  readonly onPermission: (request: PermissionRequest, context: PermissionContext) => PermissionAnswer | Promise<PermissionAnswer>;
  /** Answers a hook named at `initialize`, in the CLI's own hook output; `{}` lets things take their course. */
  readonly onHook?: (
    callback: HookCallback,
    context: PermissionContext,
  ) => Readonly<Record<string, unknown>> | Promise<Readonly<Record<string, unknown>>>;
}

type ControlResponse = {
  type: 'control_response';
  response:
    | { subtype: 'success'; request_id: string; response: Record<string, unknown> }
    | { subtype: 'error'; request_id: string; error: string };
};

const answersKept = 256;
/** As many tools may wait for a hook at once. */
const hookAnswersRepeated = 32;

/**
 * Answers every control request of the CLI, once each: unanswered, some of them stall a turn for half a minute or for good. What was
 * answered is remembered, because an answer may be lost with its socket and the request is then asked again.
 */
export class RequestDesk {
  readonly #handlers: RequestHandlers;
  readonly #send: (response: ControlResponse) => void;
  readonly #working = new Map<string, AbortController>();
  readonly #answered = new RecentMap<string, ControlResponse>(answersKept);
  readonly #ofHooks = new RecentMap<string, ControlResponse>(hookAnswersRepeated);

  constructor(handlers: RequestHandlers, send: (response: ControlResponse) => void) {
    this.#handlers = handlers;
    this.#send = send;
  }

  receive(frame: ControlRequestFrame): void {
    const requestId = frame.request_id;
    const answered = this.#answered.get(requestId);
    if (answered) this.#send(answered);
    else if (!this.#working.has(requestId)) void this.#work(requestId, frame.request);
  }

  /**
   * On a new link. Up to 2.1.120 Claude does not ask its hooks again, nor tells which of them still wait, as it does of permissions: an answer that was
   * lost with its link would keep the tool. One that it has is passed over.
   */
  repeatHookAnswers(): void {
    for (const [, response] of this.#ofHooks) this.#send(response);
  }

  cancel(requestId: string): void {
    this.#working.get(requestId)?.abort();
  }

  close(reason: RelayError): void {
    for (const controller of this.#working.values()) controller.abort(reason);
  }

  async #work(requestId: string, request: ControlRequestFrame['request']): Promise<void> {
    const controller = new AbortController();
    this.#working.set(requestId, controller);
    let response: ControlResponse['response'];
    try {
      response = { subtype: 'success', request_id: requestId, response: await this.#answer(request, controller.signal) };
    } catch (error) {
      response = { subtype: 'error', request_id: requestId, error: messageOf(error) };
    }
    this.#working.delete(requestId);
    if (controller.signal.aborted) return;
    const frame: ControlResponse = { type: 'control_response', response };
    this.#answered.set(requestId, frame);
    if (request.subtype === 'hook_callback') this.#ofHooks.set(requestId, frame);
    this.#send(frame);
  }

  async #answer(request: ControlRequestFrame['request'], signal: AbortSignal): Promise<Record<string, unknown>> {
    const permission = PermissionRequestSchema.safeParse(request);
    if (permission.success) return permissionBody(permission.data, await this.#handlers.onPermission(permission.data, { signal }));
    const hook = HookCallbackSchema.safeParse(request);
    if (hook.success && this.#handlers.onHook) return { ...(await this.#handlers.onHook(hook.data, { signal })) };
    throw new Error(`Unsupported control request: ${request.subtype}`);
  }
}

/** `updatedInput` goes with every allow: versions up to 2.1.197 refuse the tool without it. */
function permissionBody(request: PermissionRequest, answer: PermissionAnswer): Record<string, unknown> {
  if (answer.behavior === 'allow') {
    const { updatedInput = request.input, rule } = answer;
    const updatedPermissions = rule && [{ type: 'addRules', rules: [rule], behavior: 'allow', destination: 'session' }];
    return { behavior: 'allow', updatedInput, ...(updatedPermissions ? { updatedPermissions } : {}) };
  }
  return { behavior: 'deny', message: answer.message, ...(answer.interrupt ? { interrupt: true } : {}) };
}
