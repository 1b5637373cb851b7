import { expect, it } from 'vitest';
import { programName } from './program-name.ts';

it.each([
  ['npx', { npm_command: 'exec' }, 'npx agent-relay-server'],
  ['npm start', { npm_command: 'start', npm_lifecycle_event: 'start' }, 'npx agent-relay-server'],
  ['a shell', {}, 'agent-relay'],
  ['a script of another package', { npm_command: 'run-script', npm_lifecycle_event: 'deploy' }, 'agent-relay'],
])('from %s the program is called %s: %s', (_, env, name) => {
  expect(programName(env)).toBe(name);
});
