import { setTimeout as wait } from 'node:timers/promises';
import type { PlannedStep, ToolCall } from '../model/plan.ts';

/** Writes one answer in a vendor's dialect. Nothing goes out before the first content, so that a failure can still be an HTTP status. */
export interface AnswerWriter {
  text(pieces: AsyncIterable<string>): Promise<void>;
  thinking(text: string): void;
  /** `id` is the call's id on the wire. */
  call(call: ToolCall, id: string): void;
  fail(status: number, code: string | undefined, message?: string): void;
  end(): void;
  /** Cuts the connection. */
  drop(): void;
}

/** Plays planned steps; stops without a word when the CLI hangs up. */
export async function playAnswer(
  steps: readonly PlannedStep[],
  { writer, newCallId, signal }: { writer: AnswerWriter; newCallId: () => string; signal: AbortSignal },
): Promise<void> {
  for (const step of steps) {
    if (signal.aborted) return;
    switch (step.kind) {
      case 'say':
        await writer.text(pieces(step, signal));
        break;
      case 'think':
        writer.thinking(step.text);
        break;
      case 'call':
        writer.call(step, newCallId());
        break;
      case 'hang':
        await silence(step.durationMs, signal);
        break;
      case 'wait':
        await Promise.race([step.until, silence(undefined, signal)]);
        break;
      case 'failWith':
        writer.fail(step.status, step.code);
        return;
      case 'drop':
        writer.drop();
        return;
    }
  }
  if (!signal.aborted) writer.end();
}

async function* pieces(
  { text, chunks, delayMs }: { text: string; chunks: number; delayMs: number },
  signal: AbortSignal,
): AsyncIterable<string> {
  for (const piece of split(text, chunks)) {
    if (delayMs > 0) await silence(delayMs, signal);
    if (signal.aborted) return;
    yield piece;
  }
}

/** As many pieces as asked for, as equal as can be, without cutting a character in two. */
export function split(text: string, count: number): readonly string[] {
  const characters = [...text];
  const size = Math.max(1, Math.ceil(characters.length / Math.max(1, count)));
  const parts: string[] = [];
  for (let start = 0; start < characters.length; start += size) parts.push(characters.slice(start, start + size).join(''));
  return parts;
}

/** Waits, for ever when no duration is given; returns early when the other side is gone. */
async function silence(durationMs: number | undefined, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  if (durationMs === undefined) {
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    return;
  }
  await wait(durationMs, undefined, { signal }).catch(() => undefined); // an abort is the early end that the contract names
}
