import { RELAY_VERSION } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { sessionText } from './session-text.ts';

const url = 'http://127.0.0.1:4850';
/** What comes before what every session is told. */
const toldFirst = (serverVersion: string | null) =>
  sessionText({ agentId: 'me', url, serverVersion, approval: 'guarded' }).split('\n\n')[0]?.split('\n');
const known = (server: string) => [
  'Agent Relay active. Your agent ID: me',
  `Relay URL: ${url} | Server: ${server} | Plugin: ${RELAY_VERSION}`,
  'Approval mode: guarded',
];

test('a session whose relay has another version is told both and warned; one of the same version is not', () => {
  const warning = `Warning: the relay is version 9.8.7, this plugin ${RELAY_VERSION}: bring the older one up to date (agent-relay upgrade).`;
  expect(toldFirst('9.8.7')).toEqual([...known('9.8.7'), warning]);
  expect(toldFirst(RELAY_VERSION)).toEqual(known(RELAY_VERSION));
});

test('a session whose relay is away is told that and not warned of a version that nobody knows', () => {
  expect(toldFirst(null)).toEqual([...known('not reached yet'), expect.stringMatching(/^The relay is away\. /u)]);
});
