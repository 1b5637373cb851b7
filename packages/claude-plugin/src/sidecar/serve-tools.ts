import { PassThrough, Writable } from 'node:stream';
import { LineDecoder } from 'agent-relay-wire';
import { firstQuestion } from './first-question.ts';
import type { ToolServerOptions } from './tool-server.ts';

export interface ToolServer {
  /** Resolves when Claude Code has the list of tools: before that it keeps the first turn of its session. */
  readonly listed: Promise<void>;
  close(): Promise<void>;
}

type Answers = Readonly<Record<string, unknown>>;

/**
 * Serves the relay's tools. The questions that a session begins with are answered at once, by what the server answered when the
 * plugin was built: to load the server takes longer than a first turn may wait. It is loaded for the first question that is none of these, is asked all of them
 * as well, and is not heard twice.
 */
export function serveTools(firstAnswers: Answers, { input, output, ...options }: ToolServerOptions): ToolServer {
  const asked = new PassThrough();
  const answered = new Set<unknown>();
  let tellListed = () => {};
  const listed = new Promise<void>((resolve) => {
    tellListed = resolve;
  });
  let server: Promise<{ close(): Promise<void> }> | undefined;
  const open = async () => {
    const { openToolServer } = await import('./tool-server.ts');
    input.off('data', onPiece).pipe(asked);
    return openToolServer({ ...options, input: asked, output: without(answered, output) });
  };
  const lines = new LineDecoder();
  const onPiece = (piece: Buffer) => {
    asked.write(piece);
    for (const { text } of lines.push(piece)) {
      const { id, ...message } = parse(text);
      const question = firstQuestion(message);
      const result = firstAnswers[question];
      if (id === undefined) continue;
      if (result === undefined) {
        server ??= open();
        continue;
      }
      answered.add(id);
      output.write(`${JSON.stringify({ jsonrpc: '2.0', id, result })}\n`);
      if (question.startsWith('tools/list')) tellListed();
    }
  };
  // Claude Code is gone: what ends with it comes by the signal.
  for (const stream of [input, output]) stream.on('error', options.onError);
  input.on('data', onPiece);
  return { listed, close: async () => (await server)?.close() };
}

/** Writes all but the answers that were given already. The server writes one message at a time. */
const without = (answered: Set<unknown>, output: Writable): Writable =>
  new Writable({
    decodeStrings: false,
    write: (line: string, _encoding, done) => {
      if (answered.size > 0 && answered.delete(parse(line)['id'])) done();
      else output.write(line, done);
    },
  });

function parse(line: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
