import { expect, test } from 'vitest';
import { parseEnvFile } from './env-file.ts';

test('comments, empty lines, quotes, exports and spaces are understood', () => {
  const text = '# a comment\n\nPORT=1\r\nexport HOST = "::1"\n  DB_PATH=\'/a b/c=d.db\'\nAGENT_RELAY_LOG=\n';
  expect(parseEnvFile(text, 'f')).toEqual({ PORT: '1', HOST: '::1', DB_PATH: '/a b/c=d.db', AGENT_RELAY_LOG: '' });
});

test('every line that is not understood is named by its number, and none is repeated', () => {
  let message = '';
  try {
    parseEnvFile('PORT=1\nRETENTION_DAY=7\nmy-secret-token\n', '/x/relay.env');
  } catch (error) {
    message = String(error);
  }
  expect(message).toMatch(/\/x\/relay\.env .*line 2: RETENTION_DAY is no setting of the relay; line 3: is not NAME=value/u);
  expect(message).not.toContain('my-secret-token');
});
