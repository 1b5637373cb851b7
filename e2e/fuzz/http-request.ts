import { jsonText, RawJson } from './spoil.ts';
import type { Target } from './targets.ts';

/** One request on its way to being bytes. */
export interface Draft {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer | null;
  readonly framing: 'length' | 'chunked' | 'none';
}

/** The request that asks a target for something, as a well-behaved client writes it. */
export function draftOf(target: Target, input: unknown, headers: readonly [string, string][], id: number): Draft {
  const fields: Record<string, unknown> = typeof input === 'object' && input !== null ? { ...input } : {};
  const path = target.path.replace(/:(\w+)/gu, (_, name: string) => {
    const value = fields[name];
    delete fields[name];
    return segmentOf(value);
  });
  const isObject = typeof input === 'object' && input !== null && !Array.isArray(input) && !(input instanceof RawJson);
  if (target.method === 'GET' || target.method === 'DELETE') {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(fields)) {
      for (const item of Array.isArray(value) ? value.slice(0, 50) : [value]) query.append(name, textOf(item));
    }
    const withQuery = query.size === 0 ? path : `${path}?${query}`;
    return { method: target.method, path: withQuery.slice(0, 15_000), headers: [...headers], body: null, framing: 'none' };
  }
  const body = target.wrap ? target.wrap(input, id) : isObject ? fields : input;
  return {
    method: target.method,
    path,
    headers: [['content-type', 'application/json'], ...headers],
    body: Buffer.from(jsonText(body)),
    framing: 'length',
  };
}

const textOf = (value: unknown): string => (typeof value === 'object' && value !== null ? jsonText(value) : String(value));

function segmentOf(value: unknown): string {
  try {
    return encodeURIComponent(textOf(value)).slice(0, 2_000);
  } catch {
    // A lone surrogate has no percent-encoding.
    return '%ED%A0%80';
  }
}

export function bytesOf(draft: Draft): Buffer {
  const { method, path, headers, framing } = draft;
  const body = draft.body ?? Buffer.alloc(0);
  const lines = headers.some(([name]) => name === 'host') ? headers : [['host', 'localhost'], ...headers];
  const framed = framing === 'chunked' ? ['transfer-encoding: chunked'] : framing === 'length' ? [`content-length: ${body.length}`] : [];
  const head = [`${method} ${path} HTTP/1.1`, ...lines.map(([name, value]) => `${name}: ${value}`), ...framed, '', ''].join('\r\n');
  const sent = framing === 'chunked' ? chunked(body) : body;
  return Buffer.concat([Buffer.from(head, 'latin1'), sent]);
}

function chunked(body: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let from = 0; from < body.length; from += 97) {
    const part = body.subarray(from, from + 97);
    parts.push(Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n'));
  }
  return Buffer.concat([...parts, Buffer.from('0\r\n\r\n')]);
}
