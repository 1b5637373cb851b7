import { type RouteName, routeNames, routes } from 'agent-relay-protocol';
import type { CallContext, NodeHandlers, RelayHandlers } from '../contract/relay-contract.ts';
import type { TokenLives } from '../tokens/token-lives.ts';

type AnyHandler = (input: unknown, context: CallContext) => unknown;

/**
 * The handlers for callers whose tokens may end: none begins for one whose token has ended, those that wait are told of the end by their
 * signal, and what was read meanwhile is not handed out.
 */
export function livingHandlers(handlers: RelayHandlers, lives: TokenLives): RelayHandlers {
  const living = routeNames.map((name) => {
    const handler = handlers[name] as AnyHandler; // it is passed on what its own caller gave
    return [name, livingHandler(name, handler, lives)] as const;
  });
  return Object.fromEntries(living) as unknown as RelayHandlers; // one entry for each route, with the signature of its handler
}

function livingHandler(name: RouteName, handler: AnyHandler, lives: TokenLives): AnyHandler {
  const isReading = routes[name].method === 'GET';
  return (input, context) => {
    if (!lives.isBound(context.principal)) return handler(input, context);
    lives.assertLive(context.principal);
    const call = new LivingCall(context, lives);
    const output = handler(input, call);
    if (!(output instanceof Promise)) return output;
    return output.finally(() => {
      call.leave();
      if (isReading) lives.assertLive(context.principal);
    });
  };
}

/** The node handlers, likewise. */
export function livingNodeHandlers(handlers: NodeHandlers, lives: TokenLives): NodeHandlers {
  const names = Object.keys(handlers) as (keyof NodeHandlers)[]; // an object literal of exactly these keys
  const living = names.map((name) => {
    const handler = handlers[name] as (params: unknown, context: CallContext) => Promise<unknown>; // as above
    const call = async (params: unknown, context: CallContext) => {
      lives.assertLive(context.principal);
      return handler(params, context);
    };
    return [name, call] as const;
  });
  return Object.fromEntries(living) as unknown as NodeHandlers; // one entry for each method, with the signature of its handler
}

/**
 * Opens a stream that ends with the token of its caller, with `unauthorized`. `mayStill` is asked before each batch: what it throws ends the
 * stream as well, so that a right which is lost while nobody looks hands out nothing.
 */
export async function openLiving<Batch, Stream extends { readonly batches: AsyncIterable<Batch> }>(
  context: CallContext,
  lives: TokenLives,
  open: (context: CallContext) => Promise<Stream>,
  mayStill: () => void = () => {},
): Promise<Stream> {
  const { principal } = context;
  lives.assertLive(principal);
  const call = new LivingCall(context, lives);
  try {
    const stream = await open(call);
    return { ...stream, batches: living(stream.batches, call, lives, mayStill) };
  } catch (error) {
    call.leave();
    throw error;
  }
}

async function* living<Batch>(batches: AsyncIterable<Batch>, call: LivingCall, lives: TokenLives, mayStill: () => void) {
  try {
    for await (const batch of batches) {
      lives.assertLive(call.principal);
      mayStill();
      yield batch;
    }
    lives.assertLive(call.principal);
  } finally {
    call.leave();
  }
}

/** A caller's context, whose signal also aborts when the caller's token ends. Nothing is made for a handler that never looks at it. */
class LivingCall implements CallContext {
  readonly #context: CallContext;
  readonly #lives: TokenLives;
  #joined: Joined | null = null;

  constructor(context: CallContext, lives: TokenLives) {
    this.#context = context;
    this.#lives = lives;
  }

  get principal() {
    return this.#context.principal;
  }

  get turn(): CallContext['turn'] {
    return this.#context.turn;
  }

  get signal(): AbortSignal {
    const end = this.#lives.endOf(this.principal);
    if (!end) return this.#context.signal;
    this.#joined ??= join([this.#context.signal, end]);
    return this.#joined.controller.signal;
  }

  /** Listens to the token no more: it may outlive its calls by years. */
  leave(): void {
    this.#joined?.leave();
  }
}

interface Joined {
  readonly controller: AbortController;
  leave(): void;
}

function join(signals: readonly AbortSignal[]): Joined {
  const controller = new AbortController();
  const leaves = signals.map((signal) => {
    const end = () => controller.abort(signal.reason);
    if (signal.aborted) end();
    signal.addEventListener('abort', end, { once: true });
    return () => signal.removeEventListener('abort', end);
  });
  return { controller, leave: () => leaves.forEach((leave) => void leave()) };
}
