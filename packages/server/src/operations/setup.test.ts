import { describe, expect, test } from 'vitest';
import { parseEnvFile } from './env-file.ts';
import { isManaged } from './managed-file.ts';
import { planSetup, type SetupSituation } from './setup.ts';

const plan = (more: Partial<SetupSituation> = {}) =>
  planSetup({ wishes: {}, existing: null, defaultDatabasePath: '/state/relay.db', newToken: 'a-token-of-sixteen', ...more });

describe('setup', () => {
  test('makes a file of its own with an address, a database and a token that it does not show', () => {
    const { text, changed, settings } = plan();
    expect(isManaged(text)).toBe(true);
    expect(parseEnvFile(text, 'f')).toEqual({
      HOST: '127.0.0.1',
      PORT: '4850',
      DB_PATH: '/state/relay.db',
      AGENT_RELAY_TOKEN: 'a-token-of-sixteen',
    });
    expect(changed).toEqual(['HOST', 'PORT', 'DB_PATH', 'AGENT_RELAY_TOKEN']);
    expect(JSON.stringify(settings)).not.toContain('a-token-of-sixteen');
  });

  test('a second run changes nothing, and keeps the token', () => {
    const first = plan();
    expect(plan({ existing: first.text, newToken: 'another-token-of-it' })).toMatchObject({ text: first.text, changed: [] });
  });

  test('a later run changes what it is told to and keeps comments, further settings and order', () => {
    const existing = '# Managed by agent-relay setup\n# mine\nRETENTION_DAYS=7\nHOST="127.0.0.1"\nAGENT_RELAY_TOKEN=the-first-token-here\n';
    const { text, changed } = plan({ existing, wishes: { host: '0.0.0.0' } });
    expect(text).toBe(
      '# Managed by agent-relay setup\n# mine\nRETENTION_DAYS=7\nHOST=0.0.0.0\nAGENT_RELAY_TOKEN=the-first-token-here\nPORT=4850\nDB_PATH=/state/relay.db\n',
    );
    expect(changed).toEqual(['HOST', 'PORT', 'DB_PATH']);
  });
});
