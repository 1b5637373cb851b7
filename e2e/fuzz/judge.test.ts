import { expect, test } from 'vitest';
import { z } from 'zod';
import { faultsOf, rpcFaults } from './judge.ts';

const target = { name: 'things/get', answers: 'json', route: { output: z.object({ id: z.int() }), status: 200 } } as const;
const asked = { target, method: 'GET', path: '/api/things/1', isAimed: true };
const answer = (status: number, body: unknown) => ({
  status,
  head: '',
  text: typeof body === 'string' ? body : JSON.stringify(body),
  isStream: false,
});
const refusal = (code: string, more: object = {}) => ({ error: { code, message: 'No.', ...more } });
const secrets = ['the-owners-secret'];
const token = `ar_agent_${'x'.repeat(43)}`;

test.each([
  ['what was asked for', 200, { id: 1 }],
  ['a refusal with its code', 404, refusal('not_found')],
  ['a refusal that names the field', 400, refusal('validation_failed', { issues: [{ path: 'id', message: 'must be a number' }] })],
  ['a machine that is away', 503, refusal('node_unavailable')],
])('%s is in order', (_, status, body) => {
  expect(faultsOf(asked, answer(status, body), secrets)).toEqual([]);
});

test.each([
  ['a bug', 500, refusal('internal'), ['status 500 internal']],
  ['a store that fails', 503, refusal('store_unavailable'), ['status 503 store_unavailable']],
  ['an error page', 502, '<h1>Bad gateway</h1>', ['status 502 without a code of the table']],
  ['an unknown code', 400, refusal('oops'), ['status 400 without a code of the table']],
  ['a code of the prototype', 400, refusal('constructor'), ['status 400 without a code of the table']],
  ['the status of another code', 400, refusal('not_found'), ['not_found with status 400']],
  ['no sentence', 404, { error: { code: 'not_found', message: '' } }, ['not_found without a sentence']],
  ['no field', 400, refusal('validation_failed', { issues: [] }), ['validation_failed that names no field']],
  ['another shape', 200, { id: 'one' }, ['an answer of another shape: id: Invalid input: expected number, received string']],
  ['no JSON', 200, 'ok', ['an answer of another shape: : Invalid input: expected object, received undefined']],
  ['another success', 201, { id: 1 }, ['status 201 where the table says 200']],
  ['a secret', 200, { id: 1, note: 'the-owners-secret' }, ['tells a secret of the configuration']],
  ['a token', 200, { id: 1, note: token }, ['tells a token']],
  ['a stack', 404, refusal('not_found', { details: 'x\n    at f (/a/b.js:1:2)' }), ['tells of its insides: ']],
  ['SQL', 404, refusal('not_found', { details: 'SQLITE_CONSTRAINT' }), ['tells of its insides: SQLITE_CONSTRAINT']],
])('%s is a fault', (_, status, body, faults) => {
  const found = faultsOf(asked, answer(status, body), secrets);
  expect(found.map((fault, index) => fault.slice(0, faults[index]?.length))).toEqual(faults);
});

test('a token may be where one was asked for, an answer to a spoiled request may be another target’s, a HEAD has no body', () => {
  expect(faultsOf({ ...asked, target: { ...target, name: 'tokens/create' } }, answer(200, { id: 1, token }), secrets)).toEqual([]);
  expect(faultsOf({ ...asked, isAimed: false }, answer(200, { other: 1 }), secrets)).toEqual([]);
  expect(faultsOf({ ...asked, method: 'HEAD' }, answer(404, ''), secrets)).toEqual([]);
});

test.each([
  ['a result', { result: {} }, []],
  ['a refusal', { error: { code: -32004, data: { code: 'not_found' } } }, []],
  ['a bug', { error: { code: -32603, data: { code: 'internal' } } }, ['error internal']],
  ['another number', { error: { code: 1, data: { code: 'not_found' } } }, ['not_found with number 1']],
  ['no code', { error: { code: 1 } }, ['an error without a code of the table: {"code":1}']],
])('on a socket: %s', (_, message, faults) => {
  expect(rpcFaults(JSON.stringify(message), message, secrets, false)).toEqual(faults);
});
