import { expect, test } from 'vitest';
import { readSaid } from './recorded-run.ts';

const header = '{"type":"run","version":1,"agents":[]}';
const message = '{"type":"message","at":5,"message":{"id":1,"from":"Ann","to":"id:Bob","createdAt":5,"body":"Hello"}}';

test('what was said in a recorded run is read, whatever else is in it', () => {
  const text = [header, message, '{"type":"receipt"}', '{"type":"of a later version"}', ''].join('\n');
  expect(readSaid(text)).toEqual([{ from: 'Ann', to: 'id:Bob', createdAt: 5 }]);
});

test.each([
  ['', 'validation_failed', 'line 1'],
  ['no run', 'validation_failed', 'line 1'],
  ['null', 'validation_failed', 'line 1'],
  [message, 'validation_failed', 'line 1'],
  [`${header}\n{"type":`, 'validation_failed', 'line 2'],
  [`${header}\n{"type":"message"}`, 'validation_failed', 'line 2'],
  [`${header}\n{"type":"message","message":{"from":{"toString":1},"to":"x","createdAt":1}}`, 'validation_failed', 'line 2'],
  [`${header}\n{"type":"message","message":{"from":"Ann","to":"x","createdAt":8640000000000001}}`, 'validation_failed', 'line 2'],
  [`${header}\n{"type":"message","message":{"from":"Ann","to":"x","createdAt":-9e15}}`, 'validation_failed', 'line 2'],
  ['{"type":"run","version":2}', 'unsupported', 'version'],
])('%j is no run: %s', (text, code, words) => {
  expect(() => readSaid(text)).toThrow(expect.objectContaining({ code, message: expect.stringContaining(words) }));
});
