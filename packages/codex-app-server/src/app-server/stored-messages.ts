import { open } from 'node:fs/promises';
import { z } from 'zod';

/** What a person or a program said in a conversation, as it is stored. */
export interface RecordedMessage {
  readonly turnId: string;
  readonly id: string;
  readonly text: string;
  /** Undefined where the item that has it was not stored any more, null where it has none. */
  readonly clientId: string | null | undefined;
  /** The model did something after it in its turn. */
  readonly wasRead: boolean;
}

type Draft = { -readonly [Key in keyof RecordedMessage]: RecordedMessage[Key] };

const texts = z.array(z.looseObject({ text: z.string() }).catch({ text: '' }));
const event = z.literal('event_msg');
const KnownLine = z.union([
  z.looseObject({ type: event, payload: z.looseObject({ type: z.literal('task_started'), turn_id: z.string() }) }),
  z.looseObject({
    type: event,
    payload: z.looseObject({
      type: z.literal('item_completed'),
      item: z.looseObject({ type: z.literal('UserMessage'), client_id: z.string().nullish().catch(null), content: texts }),
    }),
  }),
  z.looseObject({
    type: z.literal('response_item'),
    payload: z.looseObject({ type: z.literal('message'), role: z.enum(['user', 'developer']), id: z.string().catch(''), content: texts }),
  }),
  z.looseObject({ type: z.literal('response_item'), payload: z.looseObject({ role: z.undefined().or(z.literal('assistant')) }) }),
]);

/** Whoever looks for what a server that died had taken needs what came last. */
const bytesRead = 8 * 1024 * 1024;

/**
 * What was said in a conversation, oldest first, as far as it is stored in a file that can be read here: what another machine stores, or a later Codex
 * stores otherwise, has nothing.
 *
 * Codex stores a message twice, first as the model reads it and then, some milliseconds later, as an item; its lists are made of the items, later still
 * (0.169, 0.171). After a kill in between the model has it and no list has.
 */
export async function storedMessages(path: string): Promise<readonly RecordedMessage[]> {
  const found: Draft[] = [];
  let inTurn: Draft[] = [];
  let turnId = '';
  for (const line of await lastLines(path)) {
    const known = knownLine(line);
    if (!known) continue;
    if (known.type === 'response_item') {
      const { payload } = known;
      if (payload.role === 'user') {
        const message = { turnId, id: payload.id, text: textOf(payload.content), clientId: undefined, wasRead: false };
        found.push(message);
        inTurn.push(message);
      } else if (payload.role !== 'developer') for (const message of inTurn) message.wasRead = true;
    } else if (known.payload.type === 'task_started') {
      turnId = known.payload.turn_id;
      inTurn = [];
    } else {
      const { content, client_id: clientId = null } = known.payload.item;
      const text = textOf(content);
      const message = inTurn.findLast((each) => each.clientId === undefined && each.text === text);
      if (message) message.clientId = clientId;
    }
  }
  return found;
}

const textOf = (content: z.output<typeof texts>): string => content.map(({ text }) => text).join('');

function knownLine(line: string): z.output<typeof KnownLine> | undefined {
  try {
    return KnownLine.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined; // cut short by the end of its server, or by where the reading began
  }
}

async function lastLines(path: string): Promise<readonly string[]> {
  try {
    await using file = await open(path);
    const { size } = await file.stat();
    const length = Math.min(size, bytesRead);
    const { buffer, bytesRead: read } = await file.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.toString('utf8', 0, read).split('\n');
  } catch {
    return [];
  }
}
