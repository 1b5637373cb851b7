import { RelayError } from 'agent-relay-protocol';
import { type DecodedLine, LineDecoder } from './line-decoder.ts';
import { asError, encodeJson, malformedTextLimit } from './message-duplex.ts';
import { parseJson } from './parse-json.ts';

/** A line that was JSON, or the report of one that was not: `error` is `parse_error`, or `payload_too_large` with the line's beginning. */
export type NdjsonItem = { readonly message: unknown } | { readonly malformed: string; readonly error: RelayError };

export interface NdjsonOptions {
  /** Longest line taken; a longer one is reported and skipped. Default 64 MiB. */
  readonly maxLineBytes?: number | undefined;
}

/** Reads JSON lines from pieces cut anywhere; empty lines are skipped, and a bad line never ends the stream. */
export async function* decodeNdjson(
  source: AsyncIterable<Uint8Array | string>,
  options: NdjsonOptions = {},
): AsyncGenerator<NdjsonItem, void> {
  const lines = new LineDecoder({ maxLineBytes: options.maxLineBytes });
  for await (const piece of source) yield* itemsOf(lines.push(piece));
  yield* itemsOf(lines.end());
}

function* itemsOf(lines: readonly DecodedLine[]): Generator<NdjsonItem, void> {
  for (const line of lines) if (line.isTooLong || line.text.trim() !== '') yield parseNdjsonLine(line);
}

export function parseNdjsonLine({ text, isTooLong }: DecodedLine): NdjsonItem {
  if (isTooLong) return { malformed: text, error: new RelayError('payload_too_large', 'A line is longer than this stream accepts') };
  try {
    return { message: parseJson(text) };
  } catch (cause) {
    const error = new RelayError('parse_error', `A line is not valid JSON: ${asError(cause).message}`, { cause });
    return { malformed: text.slice(0, malformedTextLimit), error };
  }
}

/** One message as a JSON line, its line break included. Throws `TypeError` for what JSON cannot hold. */
export function encodeNdjson(message: unknown): string {
  return `${encodeJson(message)}\n`;
}
