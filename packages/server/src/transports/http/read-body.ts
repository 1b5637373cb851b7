import type { IncomingMessage } from 'node:http';
import { MAX_REQUEST_BYTES, RelayError } from 'agent-relay-protocol';

const jsonType = /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/iu;

/**
 * Reads a JSON body; an absent one is `undefined`. Never holds more than the limit: it stops at the byte that is too much.
 * @throws RelayError `unsupported_media_type`, `payload_too_large`, `parse_error`, `connection_closed`.
 */
export async function readJsonBody(request: IncomingMessage): Promise<unknown> {
  const { headers } = request;
  if (Number(headers['content-length'] ?? 0) > MAX_REQUEST_BYTES) throw tooLarge();
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    throw new RelayError('unsupported_media_type', 'Send the body without a content encoding');
  }
  const bytes = await readBytes(request);
  if (bytes.length === 0) return undefined;
  if (!jsonType.test(headers['content-type'] ?? '')) throw new RelayError('unsupported_media_type', 'Send the body as application/json');
  return parseJson(bytes);
}

function readBytes(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let sizeBytes = 0;
    // Listeners instead of a loop: leaving a loop early would destroy the socket that the answer has to go out on.
    request.on('data', (chunk: Buffer) => {
      sizeBytes += chunk.length;
      if (sizeBytes <= MAX_REQUEST_BYTES) chunks.push(chunk);
      else {
        chunks.length = 0;
        reject(tooLarge());
      }
    });
    request.once('end', () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)));
    request.once('error', (cause) => reject(new RelayError('connection_closed', 'The request ended before its body', { cause })));
    request.once('close', () => reject(new RelayError('connection_closed', 'The request ended before its body')));
  });
}

const decoder = new TextDecoder('utf-8', { fatal: true });

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(decoder.decode(bytes));
  } catch (cause) {
    throw new RelayError('parse_error', 'The body is not valid JSON', { cause });
  }
}

const tooLarge = (): RelayError =>
  new RelayError('payload_too_large', `A request is at most ${MAX_REQUEST_BYTES} bytes`, { details: { maxBytes: MAX_REQUEST_BYTES } });
