import { RELAY_VERSION } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { type RelayStanding, standingWords } from './session-words.ts';

const connected = (matches: boolean): RelayStanding => {
  const standing = {
    ...{ id: 'ann', state: 'connected', approval: 'guarded', failure: null, link: { url: 'http://127.0.0.1:1' } },
    version: { relay: { version: matches ? RELAY_VERSION : '9.9.9' }, matches },
  };
  return standing as unknown as RelayStanding; // all that is read of it
};

test('a relay of another version is told with a warning, and one of the same is not', () => {
  expect(standingWords(connected(false))).toContain(
    `Server: 9.9.9 | Plugin: ${RELAY_VERSION}\nWarning: the relay is version 9.9.9 and this plugin ${RELAY_VERSION}: update the older one.\nApproval mode: guarded\n`,
  );
  expect(standingWords(connected(true))).not.toContain('Warning');
});
