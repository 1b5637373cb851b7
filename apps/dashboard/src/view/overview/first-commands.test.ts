import { expect, test } from 'vitest';
import { commandsFor } from './first-commands.ts';

test('a token is in every command that is shown with one, and in no other', () => {
  const url = 'http://127.0.0.1:4850';
  expect(Object.values(commandsFor(url, 'art_1')).every((line) => line.includes('art_1') && line.includes(url))).toBe(true);
  expect(commandsFor(url, null)).toMatchObject({
    connect: 'npx agent-relay-connect pair --url http://127.0.0.1:4850 && npx agent-relay-connect',
    curl: `curl -X POST http://127.0.0.1:4850/api/messages -H 'content-type: application/json' -d '{"from":"you","to":"broadcast","body":"Hello"}'`,
  });
});
