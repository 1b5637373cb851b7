import { expect, test } from 'vitest';
import { agentEnvironment } from './agent-environment.ts';

const machine = {
  PATH: '/bin',
  HOME: '/home/u',
  LC_ALL: 'C.UTF-8',
  JAVA_HOME: '/java',
  HOMEBREW_GITHUB_API_TOKEN: 'k',
  AGENT_RELAY_TOKEN: 'k',
  AGENT_RELAY_PROCESS_TREE: 'outer',
  ANTHROPIC_API_KEY: 'a',
  OPENAI_API_KEY: 'o',
  GEMINI_API_KEY: 'g',
  TELEGRAM_BOT_TOKEN: 't',
  AWS_SECRET_ACCESS_KEY: 'w',
  AWS_REGION: 'r',
  DATABASE_URL: 'postgres://u:p@h/db',
};
const mark = 'mark';
const everybody = { PATH: '/bin', HOME: '/home/u', LC_ALL: 'C.UTF-8', JAVA_HOME: '/java', AGENT_RELAY_PROCESS_TREE: 'outer,mark' };

test('an agent gets what every program needs and what its own provider names, no other vendor’s keys', () => {
  expect(agentEnvironment(machine, { mark })).toEqual(everybody);
  expect(agentEnvironment(machine, { mark, provider: { environment: ['OPENAI_*'] } })).toEqual({ ...everybody, OPENAI_API_KEY: 'o' });
});

test('the owner of the machine lets more through, never what is the relay’s', () => {
  expect(agentEnvironment(machine, { mark, allowed: ['AWS_*', 'DATABASE_URL', 'AGENT_RELAY_*'] })).toEqual({
    ...everybody,
    AWS_SECRET_ACCESS_KEY: 'w',
    AWS_REGION: 'r',
    DATABASE_URL: 'postgres://u:p@h/db',
  });
});

test('a session has its mark', () => {
  expect(agentEnvironment({}, { mark, agent: { sessionId: 's1', agentId: 'Worker' } })).toEqual({
    AGENT_RELAY_PROCESS_TREE: 'mark',
    AGENT_RELAY_SESSION_ID: 's1',
    AGENT_RELAY_AGENT_ID: 'Worker',
  });
});

test('an agent asks this machine through no proxy, whatever it asks the rest through', () => {
  const agent = { sessionId: 's1', agentId: 'Worker' };
  const proxy = { https_proxy: 'http://proxy.test:3128' };
  const here = 'localhost,127.0.0.1,::1';
  expect(agentEnvironment(proxy, { mark, agent })).toMatchObject({ ...proxy, NO_PROXY: here, no_proxy: here });
  expect(agentEnvironment({ ...proxy, NO_PROXY: '.corp,localhost' }, { mark, agent })).toMatchObject({
    NO_PROXY: '.corp,localhost,127.0.0.1,::1',
    no_proxy: '.corp,localhost,127.0.0.1,::1',
  });
  // Alone it is all hosts, and for some programs only then.
  expect(agentEnvironment({ ...proxy, no_proxy: '*' }, { mark, agent })).toMatchObject({ NO_PROXY: '*', no_proxy: '*' });
  expect(agentEnvironment({ NO_PROXY: '.corp' }, { mark, agent })).not.toHaveProperty('no_proxy');
  expect(agentEnvironment(proxy, { mark })).not.toHaveProperty('NO_PROXY');
});
