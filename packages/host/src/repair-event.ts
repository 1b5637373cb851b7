import { type AgentEvent, AgentEventSchema } from 'agent-relay-protocol';
import { ourId } from 'agent-relay-provider';

type Fields = Record<string, unknown>;

/** What is told where the vendor's own word cannot be read: never more than is known, and a question is still one that somebody can answer. */
const fallbacks: Readonly<Partial<Record<AgentEvent['type'], Fields>>> = {
  'session.ended': { reason: 'crashed' },
  'turn.completed': { outcome: 'interrupted' },
  'turn.failed': { error: { code: 'agent_error', message: 'The turn failed, and why cannot be read', retryable: false } },
  'tool.started': { name: 'unknown', kind: 'other', title: 'A tool' },
  'tool.completed': { outcome: 'interrupted' },
  'approval.requested': {
    kind: 'other',
    title: 'A question whose words cannot be read',
    options: [
      { id: 'allow', label: 'Allow once', outcome: 'allow' },
      { id: 'deny', label: 'Deny', outcome: 'deny' },
    ],
  },
  'approval.resolved': { outcome: 'cancelled', by: 'session' },
};

/** Each round takes away one fault of each field, so a few are enough for any event. */
const rounds = 4;

/**
 * The event without what does not fit the schema: an odd field is left out, an odd entry of a list by itself, an id that does not fit is mapped, and
 * what an event cannot do without gets the word that claims least. Null where that is not known: such an event decides nothing.
 */
export function repairEvent(event: AgentEvent): AgentEvent | null {
  let fields: Fields = withFittingIds({ ...event });
  for (let round = 0; round < rounds; round += 1) {
    const parsed = AgentEventSchema.safeParse(fields);
    if (parsed.success) return parsed.data;
    const faults = parsed.error.issues.map(({ path: [name, index] }) => ({ name: String(name), index }));
    for (const name of new Set(faults.map((fault) => fault.name))) {
      const indexes = faults.flatMap((fault) => (fault.name === name && typeof fault.index === 'number' ? [fault.index] : []));
      const mended = mend(fields, { name, indexes, fallback: fallbacks[event.type]?.[name] });
      if (mended === null) return null;
      fields = mended;
    }
  }
  return null;
}

interface Fault {
  readonly name: string;
  /** The odd entries, where the field is a list. */
  readonly indexes: readonly number[];
  readonly fallback: unknown;
}

function mend(fields: Fields, { name, indexes, fallback }: Fault): Fields | null {
  const { [name]: odd, ...rest } = fields;
  if (Array.isArray(odd) && indexes.length > 0) return { ...rest, [name]: odd.filter((_, index) => !indexes.includes(index)) };
  if (fallback !== undefined) return { ...rest, [name]: fallback };
  return odd === undefined ? null : rest;
}

function withFittingIds(fields: Fields): Fields {
  const ids = ['turnId', 'itemId', 'parentItemId', 'approvalId'].filter((name) => fields[name] !== undefined && fields[name] !== null);
  return { ...fields, ...Object.fromEntries(ids.map((name) => [name, ourId(fields[name])])) };
}
