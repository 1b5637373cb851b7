import type { Random } from '../crash/seeded.ts';
import type { Memory } from './memory.ts';

/** The tokens of the principals that exist from the start. Those of agents, observers and programs come from what the relay answers. */
export interface Credentials {
  readonly owner: string;
  /** One that may do everything, and one that may do little. */
  readonly integrations: readonly [wide: string, narrow: string];
  readonly cookie: string;
  /** The word of that browser's page. */
  readonly session: string;
}

type Headers = readonly [string, string][];

const bearer = (token: string): Headers => [['authorization', `Bearer ${token}`]];

/** Who asks this time: the owner, nobody, an integration, a browser, or whoever the relay has made a token for; now and then a liar. */
export function callerHeaders(credentials: Credentials, memory: Memory, random: Random): Headers {
  const made = memory.token(random);
  const roll = random();
  if (roll < 0.45) return bearer(credentials.owner);
  if (roll < 0.6) return [];
  if (roll < 0.85 && made !== undefined) return random() < 0.8 ? bearer(made) : [['x-agent-relay-token', made]];
  if (roll < 0.9) return bearer(credentials.integrations[random() < 0.8 ? 0 : 1]);
  if (roll < 0.99)
    return [
      ['cookie', credentials.cookie],
      ['x-agent-relay-session', credentials.session],
      ['origin', 'http://localhost'],
    ];
  return bearer('ar_agent_nobodys-token');
}
