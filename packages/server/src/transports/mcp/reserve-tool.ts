import { resolve } from 'node:path';
import { CreateReservationSchema, type McpToolInput, parseInput, RelayError, type Reservation } from 'agent-relay-protocol';
import { ModelText, modelText, quoted } from 'agent-relay-wire';
import type { RelayHandlers } from '../../relay/contract/relay-contract.ts';
import { given } from './given.ts';
import { folderFor, ownFolder } from './own-folder.ts';
import type { ToolCaller } from './tool-caller.ts';

type Asked = McpToolInput<'relay_reserve'>;

/** Files that the agent has for itself. Its own reservations are told without a word of others: what they wrote is in `list` alone. */
export async function reserveTool(handlers: RelayHandlers, request: Asked, caller: ToolCaller): Promise<ModelText> {
  const { agentId, guard, context } = caller;
  const { action, minutes, reservationId } = request;
  const lease = minutes === undefined ? {} : { leaseMs: minutes * 60_000 };
  switch (action) {
    case 'list':
      return list(handlers, request, caller);
    case 'reserve':
      return reserve(handlers, { ...request, ...lease }, caller);
    case 'renew': {
      const id = given(reservationId, 'reservationId');
      return describeOwn(await handlers['reservations/renew']({ id, agentId, ...guard, ...lease }, context));
    }
    case 'release': {
      const id = given(reservationId, 'reservationId');
      await handlers['reservations/release']({ id, agentId, ...guard }, context);
      return modelText`Reservation ${id} is given back.`;
    }
  }
}

async function reserve(handlers: RelayHandlers, asked: Asked & { readonly leaseMs?: number }, caller: ToolCaller): Promise<ModelText> {
  const { agentId, guard, context } = caller;
  const { enforced, note, leaseMs } = asked;
  const wanted = parseInput(CreateReservationSchema, {
    folder: given(folderFor(asked.folder, await ownFolder(handlers, caller)) ?? undefined, 'folder'),
    patterns: given(asked.patterns, 'patterns'),
    ...(enforced === undefined ? {} : { enforced }),
    ...(note === undefined ? {} : { note }),
    ...(leaseMs === undefined ? {} : { leaseMs }),
  });
  try {
    const { conflicts, unheld = [], ...reservation } = await handlers['reservations/create']({ ...wanted, agentId, ...guard }, context);
    const others = [...new Set(conflicts.map((each) => each.agentId))].join(', ');
    const texts = [
      describeOwn(reservation),
      ...(conflicts.length === 0 ? [] : [modelText`Some of these files ${others} has as well: agree before you edit them.`]),
      ...(unheld.length === 0
        ? []
        : [modelText`Nothing keeps these agents, which work there, from editing them: ${unheld.join(', ')}. Tell them.`]),
    ];
    return ModelText.join(texts, ' ');
  } catch (error) {
    if (!(error instanceof RelayError) || error.code !== 'already_claimed') throw error;
    // Its message has the other's patterns in it, which are words of another agent.
    throw new RelayError('already_claimed', 'Another agent has some of these files', { ...(error.details && { details: error.details }) });
  }
}

async function list(handlers: RelayHandlers, { file }: Asked, caller: ToolCaller): Promise<ModelText> {
  const own = file === undefined ? null : await ownFolder(handlers, caller);
  const only = file === undefined ? {} : { file: own === null ? file : resolve(own, file) };
  const { data } = await handlers['reservations/list']({ ...only, limit: 50 }, caller.context);
  if (data.length === 0) return modelText`Nobody has reserved anything of it.`;
  return ModelText.join(data.map(describe), '\n');
}

const until = ({ leaseExpiresAt }: Reservation): string => new Date(leaseExpiresAt).toISOString();

const describeOwn = (reservation: Reservation): ModelText =>
  modelText`Reservation ${reservation.id} is yours until ${until(reservation)}. Give it back with action release when you are done.`;

function describe(reservation: Reservation): ModelText {
  const { id, agentId, folder, patterns, enforced, note } = reservation;
  const how = enforced ? 'enforced' : 'advisory';
  const why = note === null ? '' : `: ${quoted(note)}`;
  return modelText`Reservation ${id}, ${agentId} until ${until(reservation)} (${how}): ${patterns.join(', ')} in ${folder}${why}`;
}
