import { type MethodParams, type RouteName, routeNames, routes } from 'agent-relay-protocol';
import { agentOf } from '../../domain/scopes.ts';
import type { Presence } from '../agents/presence.ts';
import type { CallContext, InboxStream, RelayHandlers } from '../contract/relay-contract.ts';

type AnyHandler = (input: unknown, context: CallContext) => unknown;
type NamedActor = (input: Record<string, unknown>, output: unknown) => unknown;

/** The handlers; they tell of the agent in whose name they were called: its own token says so, or the call names it and was allowed to. */
export function presentHandlers(handlers: RelayHandlers, presence: Pick<Presence, 'note' | 'begin'>): RelayHandlers {
  const present = routeNames.map((name) => {
    const handler = handlers[name] as AnyHandler; // it is passed on what its own caller gave
    return [name, presentHandler(name, handler, presence)] as const;
  });
  return Object.fromEntries(present) as unknown as RelayHandlers; // one entry for each route, with the signature of its handler
}

/** As `presentHandlers`: an agent whose inbox is followed for it by its own program is there as long as that goes on. */
export async function openPresent(
  { id }: Pick<MethodParams<'inbox/subscribe'>, 'id'>,
  { principal }: CallContext,
  presence: Pick<Presence, 'note' | 'begin'>,
  open: () => Promise<InboxStream>,
): Promise<InboxStream> {
  const stream = await open();
  // A node tells itself which of its agents are alive.
  if (principal.type === 'node') return stream;
  presence.note(principal.workspace, id);
  return { ...stream, batches: present(stream.batches, () => presence.begin(principal.workspace, id)) };
}

async function* present<Batch>(batches: AsyncIterable<Batch>, begin: () => () => void): AsyncGenerator<Batch> {
  const end = begin();
  try {
    yield* batches;
  } finally {
    end();
  }
}

function presentHandler(name: RouteName, handler: AnyHandler, presence: Pick<Presence, 'note' | 'begin'>): AnyHandler {
  const namedBy = actorOf(name);
  return (input, context) => {
    const { principal } = context;
    const output = handler(input, context);
    const own = agentOf(principal);
    if (own === null && (namedBy === null || principal.type === 'node')) return output;
    const fields = input as Record<string, unknown>; // every route's input is an object
    const actor = (value?: unknown) => own ?? namedBy?.(fields, value);
    const note = (value: unknown) => {
      const agentId = actor(value);
      if (typeof agentId === 'string') presence.note(principal.workspace, agentId);
      return value;
    };
    if (!(output instanceof Promise)) return note(output);
    const waiting = lasts(name, fields) ? actor() : null;
    return typeof waiting === 'string' ? output.then(note).finally(presence.begin(principal.workspace, waiting)) : output.then(note);
  };
}

/** Calls that may wait for as long as an agent may be silent. */
function lasts(name: RouteName, input: Record<string, unknown>): boolean {
  return name === 'inbox/list' ? input['waitMs'] !== undefined : name === 'messages/send' && input['waitFor'] !== undefined;
}

/** How a call of this route names the agent that acts: what takes a session's `epoch` acts as that session, and so does a sender. */
function actorOf(name: RouteName): NamedActor | null {
  const { shape } = routes[name].input as { readonly shape: Record<string, unknown> }; // every route's input is an object schema
  if (name === 'messages/send') return ({ from }) => from;
  if (!('epoch' in shape)) return null;
  if (name === 'inbox/list') return ({ id, peek }) => (peek === true ? undefined : id);
  if ('from' in shape) return ({ from }) => from;
  // Whoever shows a claim's fence need not say who it is.
  if ('agentId' in shape) return ({ agentId }, output) => agentId ?? claimantIn(output);
  return ({ id }) => id;
}

function claimantIn(output: unknown): unknown {
  return typeof output === 'object' && output !== null && 'claimId' in output && 'agentId' in output ? output.agentId : undefined;
}
