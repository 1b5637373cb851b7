import { open } from 'node:fs/promises';
import { parseJson } from 'agent-relay-wire';
import { z } from 'zod';

/** Of a long conversation only its end is looked at, in bytes. */
const LOOKED_AT = 16 << 20;

const Line = z.looseObject({
  type: z.string(),
  isSidechain: z.boolean().optional(),
  message: z.looseObject({ id: z.string().optional(), model: z.string().optional() }).optional().catch(undefined),
});

interface Sought {
  readonly messageId: number;
  readonly nonce: string | null;
  readonly transcript: string | null;
}

/**
 * What Claude Code's own file of a conversation says of a message: that its model has answered since it came in, that it is there, or nothing. A file that
 * cannot be read does not gainsay that it is there: `unknown`.
 */
export async function lookInTranscript({ messageId, nonce, transcript }: Sought): Promise<'answered' | 'entered' | 'absent' | 'unknown'> {
  const text = transcript === null ? null : await endOf(transcript);
  if (text === null) return 'unknown';
  const mark = nonce === null ? `[end msg:${messageId} ` : `${nonce}]`;
  let isThere = false;
  let spoken: string | undefined;
  for (const line of text.split('\n')) {
    if (!line.includes(mark) && !line.includes('"assistant"')) continue;
    const said = Line.safeParse(read(line)).data;
    if (said === undefined || said.isSidechain === true) continue;
    // What waits in Claude Code's queue is written down as well, under a type of its own.
    if (said.type === 'user' || said.type === 'attachment') isThere ||= line.includes(mark);
    if (said.type !== 'assistant' || said.message?.model === '<synthetic>') continue;
    // One answer is written piece by piece, with what its tools said in between.
    if (isThere && said.message?.id !== spoken) return 'answered';
    spoken = said.message?.id;
  }
  return isThere ? 'entered' : 'absent';
}

async function endOf(path: string): Promise<string | null> {
  try {
    await using file = await open(path, 'r');
    const { size } = await file.stat();
    const length = Math.min(size, LOOKED_AT);
    const bytes = Buffer.alloc(length);
    await file.read(bytes, 0, length, size - length);
    return bytes.toString('utf8');
  } catch {
    return null;
  }
}

function read(line: string): unknown {
  try {
    return parseJson(line);
  } catch {
    return undefined;
  }
}
