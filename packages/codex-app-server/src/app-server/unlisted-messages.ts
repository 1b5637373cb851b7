import { open } from 'node:fs/promises';
import { z } from 'zod';

/** What a person or a program said, which the model reads with its next turn although no list has it. */
export interface UnlistedMessage {
  readonly turnId: string;
  readonly id: string;
  readonly text: string;
}

const texts = z.array(z.looseObject({ text: z.string() }).catch({ text: '' }));
const turn = z.looseObject({
  type: z.literal('event_msg'),
  payload: z.looseObject({ type: z.literal('task_started'), turn_id: z.string() }),
});
const said = z.looseObject({
  type: z.literal('response_item'),
  payload: z.looseObject({ type: z.literal('message'), role: z.literal('user'), id: z.string().catch(''), content: texts }),
});
const listed = z.looseObject({
  type: z.literal('event_msg'),
  payload: z.looseObject({
    type: z.literal('item_completed'),
    item: z.looseObject({ type: z.literal('UserMessage'), content: texts }),
  }),
});
const KnownLine = z.union([turn, said, listed]);

/** Whoever looks for what a server that died had taken needs what came last. */
const bytesRead = 8 * 1024 * 1024;

/**
 * Codex stores what a user says twice, first as the model reads it and then, some milliseconds later, as the item that it lists (0.169, 0.171): a server
 * that is killed in between leaves it in the conversation and in no list. Such messages, oldest first, as far as the stored conversation is in a file that
 * can be read here: what another machine stores, or a later Codex stores otherwise, has none.
 */
export async function unlistedMessages(path: string): Promise<readonly UnlistedMessage[]> {
  const found: UnlistedMessage[] = [];
  let turnId = '';
  for (const line of await lastLines(path)) {
    const known = knownLine(line);
    if (known?.type === 'response_item') found.push({ turnId, id: known.payload.id, text: textOf(known.payload.content) });
    else if (known?.payload.type === 'task_started') turnId = known.payload.turn_id;
    else if (known) {
      const text = textOf(known.payload.item.content);
      const at = found.findLastIndex((message) => message.text === text);
      if (at >= 0) found.splice(at, 1);
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
