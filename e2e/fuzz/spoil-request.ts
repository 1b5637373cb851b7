import { MAX_REQUEST_BYTES } from 'agent-relay-protocol';
import type { Random } from '../crash/seeded.ts';
import type { Draft } from './http-request.ts';
import { below, pick } from './random.ts';

type Spoiler = (draft: Draft, random: Random) => Partial<Draft>;

const paths = [
  '*',
  '',
  'http://localhost/api/health',
  '//',
  '/api//health',
  '/API/health',
  '/api/../api/health',
  '\\',
  '/api/health#x',
  '/api/health/',
];
const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'QUERY', 'get', 'FOO'];
const segments = [
  '%00',
  '%',
  '%zz',
  '%2e%2e',
  '..',
  '%2F',
  'a%20b',
  '%F0%9F%92%A5',
  '%ED%A0%80',
  '%C0%AF',
  '',
  '.',
  '\u00ff',
  '__proto__',
  'constructor',
  '-1',
  '1e3',
  '99999999999999999999',
  'x'.repeat(3_000),
  ';a=b',
  '@',
  '*',
];
const queries = [
  '?',
  '?=',
  '?a',
  '?limit=1&limit=2',
  '?__proto__=1',
  '?%=%',
  '?since=-1&since=',
  '?limit=%00',
  `?x=${'y'.repeat(9_000)}`,
  '?token=secret',
  '?waitMs=0&peek=maybe',
  '?&&&',
  '?id=1',
  '??',
  '?for=%E0%A4%A',
];
const headerLines: readonly (readonly [string, string])[] = [
  ['content-type', 'text/plain'],
  ['content-type', 'application/json; charset=latin1'],
  ['content-type', 'multipart/form-data; boundary=x'],
  ['content-type', ''],
  ['content-encoding', 'gzip'],
  ['authorization', 'Bearer'],
  ['authorization', 'Basic b3duZXI6eA=='],
  ['authorization', `Bearer ${'x'.repeat(9_000)}`],
  ['authorization', 'Bearer ar_agent_\u00ff'],
  ['x-agent-relay-token', ''],
  ['x-agent-relay-token', 'nonsense'],
  ['cookie', 'agent_relay_session=; agent_relay_session=='],
  ['cookie', `agent_relay_session=${'%'.repeat(50)}`],
  ['origin', 'http://['],
  ['origin', 'null'],
  ['origin', 'https://evil.example'],
  ['host', ':::'],
  ['host', 'evil.example'],
  ['sec-fetch-site', 'cross-site'],
  ['last-event-id', '-7'],
  ['last-event-id', '\u00e9'],
  ['last-event-id', '9007199254740993'],
  ['x-forwarded-for', '203.0.113.9'],
  ['forwarded', 'for=x'],
  ['accept', 'text/event-stream'],
  ['accept-encoding', 'identity;q=0, *;q=0'],
  ['range', 'bytes=0-1'],
  ['if-none-match', '*'],
  ['access-control-request-method', 'POST'],
  ['mcp-protocol-version', '1900-01-01'],
  ['mcp-session-id', 'x'],
  ['expect', '100-continue'],
  ['expect', '200-maybe'],
  ['upgrade', 'websocket'],
  ['connection', 'upgrade'],
  ['te', 'trailers'],
  ['x'.repeat(300), 'y'],
];
const bodies = [
  '',
  ' ',
  '{',
  '{"a":',
  'null',
  '[]',
  '"text"',
  '1',
  '\ufeff{}',
  '{"to":"owner","to":"owner"}',
  '{"id":1,}',
  "{'a':1}",
  '{"a":NaN}',
  `${'{"a":'.repeat(3_000)}1${'}'.repeat(3_000)}`,
  '\u0000',
  'a=b&c=d',
];

/** Faults of the transport, from the harmless to what is hardly a request. */
const spoilers: readonly Spoiler[] = [
  (_, random) => ({ method: pick(random, methods) }),
  ({ path }, random) => {
    const parts = path.split('/');
    parts[1 + below(random, parts.length)] = pick(random, segments);
    return { path: parts.join('/') };
  },
  ({ path }, random) => ({ path: path + pick(random, queries) }),
  (_, random) => ({ path: pick(random, paths) }),
  ({ headers }, random) => ({ headers: [...headers, pick(random, headerLines)] }),
  ({ headers }, random) => {
    const line = pick(random, headerLines);
    return { headers: [...headers.filter(([name]) => name !== line[0]), line] };
  },
  (_, random) => ({ body: Buffer.from(pick(random, bodies)) }),
  ({ body }, random) => ({ body: body?.subarray(0, below(random, body.length + 1)) ?? null }),
  ({ body }, random) => ({ body: body && flipped(body, 3, random) }),
  () => ({ framing: 'chunked' }),
  // Oversized ones are slow to send.
  ({ body }, random) => ({ body: random() < 0.05 ? Buffer.alloc(MAX_REQUEST_BYTES + 1, 0x20) : body }),
];

/** A request in which one or two things are wrong that are no business of its input. */
export function spoilDraft(draft: Draft, random: Random): Draft {
  let spoiled = draft;
  for (let times = 1 + below(random, 2); times > 0; times -= 1) spoiled = { ...spoiled, ...pick(random, spoilers)(spoiled, random) };
  return spoiled.body && spoiled.framing === 'none' ? { ...spoiled, framing: 'length' } : spoiled;
}

function flipped(bytes: Buffer, times: number, random: Random): Buffer {
  const copy = Buffer.from(bytes);
  for (let flips = 0; flips < times && copy.length > 0; flips += 1) copy[below(random, Math.min(copy.length, 400))] = below(random, 256);
  return copy;
}

const garbage = [
  'GET',
  '\r\n\r\n',
  'GET / HTTP/9.9\r\n\r\n',
  '\u0016\u0003\u0001\u0002\u0000\u0001',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  `GET /${'a'.repeat(20_000)} HTTP/1.1\r\nhost: localhost\r\n\r\n`,
  `GET / HTTP/1.1\r\nhost: localhost\r\n${'x: y\r\n'.repeat(3_000)}\r\n`,
  'POST /api/messages HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: -1\r\n\r\n{}',
  'POST /api/messages HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\ncontent-type: application/json\r\n\r\nZZ\r\n{}\r\n',
  'POST /api/messages HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n{}',
  'GET /ws HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 1\r\n\r\n',
  'CONNECT localhost:1 HTTP/1.1\r\nhost: localhost\r\n\r\n',
];

/** Bytes that may be no request at all: cut off, flipped, or never one. They get a connection of their own. */
export function brokenBytes(whole: Buffer, random: Random): Buffer {
  const roll = random();
  if (roll < 0.3) return Buffer.from(pick(random, garbage), 'latin1');
  if (roll < 0.6) return whole.subarray(0, below(random, whole.length));
  return flipped(whole, 1 + below(random, 6), random);
}
