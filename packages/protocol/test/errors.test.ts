import { expect, test } from 'vitest';
import { z } from 'zod';
import { detailsOf, type ErrorCode, type ErrorMeaning, errorDetails, errorTable, RelayError, relayErrorFromBody } from '../src/index.ts';

const rows: readonly (readonly [string, ErrorMeaning])[] = Object.entries(errorTable);
const codes = Object.keys(errorTable) as ErrorCode[]; // the keys of the table are exactly ErrorCode

test.each(rows)('%s says one sentence', (_, { says }) => {
  expect(says).toMatch(/^\p{Lu}[^.!?]*\.$/u);
});

test('no two codes say the same, and each has its details', () => {
  expect(new Set(rows.map(([, { says }]) => says)).size).toBe(rows.length);
  expect(Object.keys(errorDetails)).toEqual(codes);
});

test('details are read by their code, and what does not fit says nothing', () => {
  const several = new RelayError('ambiguous_target', 'Which?', { details: { candidates: ['id:a', 'id:b'] } });
  expect(detailsOf(relayErrorFromBody(several.toBody()), 'ambiguous_target')).toEqual({ candidates: ['id:a', 'id:b'] });
  expect(detailsOf(several, 'not_found')).toBeNull();
  const odd = relayErrorFromBody({ code: 'rate_limited', message: 'Wait.', details: { retryAfterMs: 'soon' } });
  expect(detailsOf(odd, 'rate_limited')).toEqual({});
  expect(detailsOf(new RelayError('gone', 'Gone.'), 'gone')).toEqual({});
  const later = relayErrorFromBody({ code: 'pair_not_active', message: 'No.', details: { pairId: 3, status: 'paused', since: 7 } });
  expect(detailsOf(later, 'pair_not_active')).toEqual({ pairId: 3, status: 'paused' });
});

test('a thrower may name only what its code carries', () => {
  // @ts-expect-error: a scope is not what an ambiguous target is about
  new RelayError('ambiguous_target', 'Which?', { details: { scope: 'agents:read' } });
  // @ts-expect-error: a fence is a number
  new RelayError('stale_fence', 'Late.', { details: { fence: '3' } });
});

const common = Object.keys(errorDetails.internal.shape);
const line = ([code, { says, httpStatus, retryable }]: readonly [string, ErrorMeaning]): string => {
  const fields = Object.keys(errorDetails[code as ErrorCode].shape).filter((field) => !common.includes(field)); // the rows are those of the table
  return `| \`${code}\` | ${httpStatus} | ${retryable ? 'yes' : ''} | ${says} | ${fields.map((field) => `\`${field}\``).join(' ')} |`;
};
const page = `# Errors

Every failed request answers \`{ "error": { "code", "message", "issues"?, "details"? } }\`, over the WebSocket as the \`data\` of the JSON-RPC error. Branch on
\`code\`; \`message\` is for people. *Again* says that the same request may succeed later, unchanged. What a code may carry in \`details\` is read, with
types, by \`detailsOf(error, code)\` of \`agent-relay-protocol\`; a code that only a later relay knows comes as the one that its status stands for,
with itself in \`details.unknownCode\`.

| code | HTTP | again | what it says | details |
|---|---|---|---|---|
${rows.map(line).join('\n')}
`;

test('docs/errors.md is this table; `npx vitest run packages/protocol/test/errors -u` writes it anew', async () => {
  await expect(page).toMatchFileSnapshot('../../../docs/errors.md');
});

test('the details of each code are a schema that clients can be made from', () => {
  for (const code of codes) expect(z.toJSONSchema(errorDetails[code], { io: 'input' })).toMatchObject({ type: 'object' });
});
