import { describe, expect, test } from 'vitest';
import type { z } from 'zod';
import * as protocol from '../src/index.ts';
import { LATER, variants } from './variants.ts';

type Schemas = Readonly<Record<string, z.ZodType>>;
const pick = <Entry>(table: Readonly<Record<string, Entry>>, schemaOf: (entry: Entry) => z.ZodType): Schemas =>
  Object.fromEntries(Object.entries(table).map(([name, entry]) => [name, schemaOf(entry)]));

/** Whatever one program of ours reads from another. */
const said: Readonly<Record<string, Schemas>> = {
  'a relay of its log': { RelayEvent: protocol.RelayEventSchema, EventReset: protocol.EventResetSchema },
  'a relay that pushes': pick(protocol.socketNotifications, ({ params }) => params),
  'a relay that answers': pick<protocol.Route>(protocol.routes, ({ output }) => output),
  'a relay that answers a node': pick(protocol.nodeMethods, ({ result }) => result),
  'a node that asks': pick(protocol.nodeMethods, ({ params }) => params),
  'a node that tells': pick(protocol.nodeNotifications, ({ params }) => params),
  'a node that answers': pick(protocol.nodeCommands, ({ result }) => result),
  'an agent': { AgentEvent: protocol.AgentEventSchema, ActivityEntry: protocol.ActivityEntrySchema },
};

const isOfLaterVersion = (value: unknown): boolean => JSON.stringify(value).includes(LATER);

describe.each(Object.entries(said))('a word of a later version, said by %s, is read and stays', (_, schemas) => {
  test.each(Object.entries(schemas))('%s', (_name, schema) => {
    const loose = protocol.loosely(schema);
    for (const variant of variants(schema)) {
      const read = loose.safeParse(variant);
      expect(read.error, JSON.stringify(variant)).toBeUndefined();
      expect(isOfLaterVersion(read.data), JSON.stringify(variant)).toBe(isOfLaterVersion(variant));
      if (!isOfLaterVersion(variant)) expect(read.data).toEqual(schema.parse(variant));
    }
  });
});

test('the schemas themselves are strict about words, so that the variants try something', () => {
  const later = variants(protocol.RelayEventSchema).filter(isOfLaterVersion);
  expect(later.length).toBeGreaterThan(100);
  for (const variant of later) expect(protocol.RelayEventSchema.safeParse(variant).success).toBe(false);
});

test('a field of a later version is passed over', () => {
  const usage = { inputTokens: 1, outputTokens: 2, thoughts: 3 };
  const event = { type: 'usage.updated', usage, colour: 'red' };
  expect(protocol.loosely(protocol.AgentEventSchema).parse(event)).toEqual({
    type: 'usage.updated',
    usage: { inputTokens: 1, outputTokens: 2 },
  });
});

test('an event of an agent that has a type of a later version is a vendor event with all it says', () => {
  const event = { type: 'turn.paused', turnId: 't1', until: [1, { a: null }] };
  const read = { type: 'vendor.event', vendor: 'agent-relay', name: 'turn.paused', data: { turnId: 't1', until: [1, { a: null }] } };
  expect(protocol.loosely(protocol.AgentEventSchema).parse(event)).toEqual(read);
  expect(protocol.AgentEventSchema.parse(read)).toEqual(read);
});

test.each([
  { type: 'text.delta', turnId: 't1', itemId: 'i1' },
  { type: 7 },
  { type: '' },
  { type: 'x'.repeat(65) },
  {},
  null,
  { type: 'output.line', stream: 1, text: 'a' },
])('%j is no event of any version', (event) => {
  expect(protocol.loosely(protocol.AgentEventSchema).safeParse(event).success).toBe(false);
});
