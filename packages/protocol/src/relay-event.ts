import { z } from 'zod';
import { asText } from './as-text.ts';
import { nearest } from './nearest.ts';
import { AgentIdSchema, CursorSchema, OpaqueIdSchema } from './primitives.ts';
import { events } from './resources.ts';

/**
 * Everything the log tells. `seq` is the cursor: an event committed with a change carries the sequence of that commit, so a snapshot's
 * `cursor` plus the events after it are exact. Event types this version does not know are skipped by clients.
 */
export const RelayEventSchema = z.discriminatedUnion('type', events);
export type RelayEvent = z.infer<typeof RelayEventSchema>;
export type RelayEventType = RelayEvent['type'];

type PastVerb =
  | 'requested'
  | 'resolved'
  | 'accepted'
  | 'rejected'
  | 'claimed'
  | 'deleted'
  | 'dispatched'
  | 'delivered'
  | 'answered'
  | 'held'
  | 'failed'
  | 'expired'
  | 'renewed'
  | 'progressed'
  | 'completed'
  | 'released'
  | 'refused'
  | 'cancelled'
  | 'canceled'
  | 'created'
  | 'revoked'
  | 'repeated'
  | 'registered'
  | 'updated'
  | 'used'
  | 'stalled'
  | 'recovered'
  | 'dismissed'
  | 'woken'
  | 'removed'
  | 'started'
  | 'ended'
  | 'connected'
  | 'disconnected'
  | 'paired'
  | 'renamed'
  | 'bound'
  | 'unbound'
  | 'seen'
  | 'read';
/** Names that are not `noun.pastVerb`: the seeds' own, and what is offered rather than done. */
type Exempt = 'message.new' | 'agent.status' | 'work.available';
type NotInGrammar = Exclude<RelayEventType, `${string}.${PastVerb}` | Exempt>;
export const relayEventNamesFitTheGrammar: [NotInGrammar] extends [never] ? true : NotInGrammar = true;

const types = RelayEventSchema.options.map(({ shape }) => shape.type.value);

const eventNames: readonly string[] = [...new Set(types.flatMap((type) => [type.slice(0, type.indexOf('.')), type]))];

/** Tasks are `canceled`, all else is `cancelled`: whoever asks may spell either as the other. */
const otherSpellings = new Map(
  eventNames.flatMap((name) => {
    const other = name.endsWith('.canceled') ? name.replace('canceled', 'cancelled') : name.replace('cancelled', 'canceled');
    return other === name ? [] : [[other, name] as const];
  }),
);

/** One that no event has would be a reader that waits for ever. */
const EventNameSchema = z
  .enum([...eventNames, ...otherSpellings.keys()], {
    error: ({ input }) => {
      const near = nearest(asText(input).slice(0, 64), eventNames);
      return `No event is called so${near === null ? '' : `; ${near} is`}: name an event type, or a noun such as message`;
    },
  })
  .transform((name) => otherSpellings.get(name) ?? name);

/** Which events a reader gets. Everything given must match; nothing given is the whole log of the workspace. */
export const EventFilterSchema = z.strictObject({
  after: CursorSchema.optional().describe('Read what follows this sequence; absent reads from now on'),
  for: AgentIdSchema.optional().describe('Only what concerns this agent: mail to or from it, its receipts, its claims, its presence'),
  types: z
    .array(EventNameSchema)
    .max(64)
    .optional()
    .describe('Event types, or a noun such as `message` for all of its events; `claim` finds `message.claimed` too'),
  channel: z.string().min(1).max(64).optional().describe('Only messages of this channel and what happens to them'),
  generation: OpaqueIdSchema.optional().describe('The log generation the cursor belongs to; another one gets a reset'),
});
export type EventFilter = z.infer<typeof EventFilterSchema>;
