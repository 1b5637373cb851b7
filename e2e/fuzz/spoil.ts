import type { Random } from '../crash/seeded.ts';
import { below, pick } from './random.ts';

/** JSON text that stands for a value: what no value of this language can be written as is text from the start. */
export class RawJson {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

const nested = (depth: number): unknown => (depth === 0 ? 1 : depth % 2 === 0 ? [nested(depth - 1)] : { a: nested(depth - 1) });

const oddities: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  2 ** 53,
  -(2 ** 63),
  1e308,
  '',
  ' ',
  '\u0000',
  '\ud800',
  'x'.repeat(257),
  'x'.repeat(70_000),
  '__proto__',
  '1',
  'true',
  '-0',
  '../../etc/passwd',
  '\u202e\u0000\uffff',
  [],
  [[]],
  [null],
  {},
  { length: 5 },
  { toString: 1, valueOf: null },
  new RawJson('1e999'),
  new RawJson('-0'),
  new RawJson('123456789012345678901234567890'),
  new RawJson('{"__proto__":{"isAdmin":true}}'),
  new RawJson('{"constructor":{"prototype":{"x":1}}}'),
  new RawJson('"\\u0000\\ud800"'),
  nested(63),
  nested(200),
  new RawJson(`${'['.repeat(5_000)}${']'.repeat(5_000)}`),
  Array.from({ length: 2_000 }, (_, index) => index),
  Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`k${index}`, index])),
];
const strangeKeys = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '',
  '\u0000',
  'x',
  'ID',
  'agent_id',
  'limit ',
  '💥',
  'then',
  'k'.repeat(300),
];

/** An input that the schema may refuse: one or two of its parts are dropped, replaced or added. */
export function spoilInput(input: unknown, random: Random): unknown {
  let spoiled = input;
  for (let times = 1 + below(random, 2); times > 0; times -= 1) spoiled = spoilOnce(spoiled, random);
  return spoiled;
}

function spoilOnce(value: unknown, random: Random): unknown {
  if (Array.isArray(value) && value.length > 0) {
    const place = below(random, value.length);
    return value.map((item, index) => (index === place ? spoilOnce(item, random) : item));
  }
  if (typeof value !== 'object' || value === null || value instanceof RawJson) return pick(random, oddities);
  const fields = Object.entries(value);
  const copy: Record<string, unknown> = Object.assign(Object.create(null), value);
  const [key, item] = fields.length === 0 ? ['x', null] : pick(random, fields);
  const roll = random();
  if (roll < 0.25) delete copy[key];
  else if (roll < 0.45) copy[pick(random, strangeKeys)] = pick(random, oddities);
  else if (roll < 0.7) copy[key] = pick(random, oddities);
  else if (roll < 0.8) copy[key] = [item, item];
  else copy[key] = spoilOnce(item, random);
  return copy;
}

/** `JSON.stringify` that knows `RawJson` and keeps a key named `__proto__`. */
export function jsonText(value: unknown): string {
  if (value instanceof RawJson) return value.text;
  if (Array.isArray(value)) return `[${value.map(jsonText).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  return `{${Object.entries(value)
    .map(([key, item]) => `${JSON.stringify(key)}:${jsonText(item)}`)
    .join(',')}}`;
}
