import { expect, test } from 'vitest';
import { providerOver } from './provider-transport.ts';

test.each([
  ['codex', undefined, 'codex'],
  ['codex', 'websocket', 'codex'],
  ['codex', 'CLI', 'codex-exec'],
  ['codex-ws', undefined, 'codex'],
  ['codex-exec', 'cli', 'codex-exec'],
  ['gemini', undefined, 'gemini'],
])('%s over %s is %s', (provider, transport, expected) => {
  expect(providerOver(provider, transport)).toBe(expected);
});

test.each([
  ['codex', 'carrier-pigeon', '"carrier-pigeon" is no transport of codex: it is websocket or cli'],
  ['codex-ws', 'cli', '"cli" is no transport of codex-ws: it is websocket'],
  ['claude', 'cli', 'claude is driven in one way only: it takes no transport'],
])('%s over %s is refused with what there is', (provider, transport, message) => {
  expect(() => providerOver(provider, transport)).toThrow(
    expect.objectContaining({ code: 'validation_failed', message, issues: [{ path: 'transport', message }] }),
  );
});
