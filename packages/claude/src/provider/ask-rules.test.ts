import { RelayError } from 'agent-relay-protocol';
import { describe, expect, test } from 'vitest';
import { AskRules, toolsToAskAbout } from './ask-rules.ts';

const known = ['Write', 'Bash', 'Read', 'Task', 'AskUserQuestion', 'mcp__agent-relay__relay_send', 'mcp__other'];
const names = (mode: 'safe' | 'agentic' | 'unrestricted', approval: 'open' | 'guarded' | 'read-only', mayHoldMail = false) =>
  toolsToAskAbout({ mode, approval, relayServers: ['agent-relay'] }, known, mayHoldMail);

test('Claude asks by itself about what the mode refuses whatever the user allows, and never about the tools of the relay', () => {
  expect(names('safe', 'open')).toEqual(['Write', 'Bash', 'Read', 'Task', 'mcp__other']);
  expect(names('agentic', 'open', true)).toEqual(['Write']);
  expect(names('unrestricted', 'open', true)).toEqual([]);
});

test('in unrestricted also about all that may change what another agent has reserved', () => {
  const rights = { approval: 'open', relayServers: ['agent-relay'], reservedAgainst: async () => null } as const;
  expect(toolsToAskAbout({ mode: 'unrestricted', ...rights }, known, false)).toEqual(['Write', 'Bash', 'Task', 'mcp__other']);
  expect(toolsToAskAbout({ mode: 'agentic', ...rights }, known, false)).toEqual(['Write']);
});

test.each(['guarded', 'read-only'] as const)(
  'with approval %s also about what mail may not do unasked, while it may be in the turn',
  (approval) => {
    for (const mode of ['agentic', 'unrestricted'] as const)
      expect(names(mode, approval, true)).toEqual(['Write', 'Bash', 'Task', 'mcp__other']);
    expect([names('agentic', approval), names('unrestricted', approval)]).toEqual([['Write'], []]);
  },
);

interface Told {
  readonly taken?: boolean;
  readonly fails?: RelayError;
  readonly version?: string | null;
}

describe('AskRules', () => {
  function rules({ taken = true, fails, version = null }: Told = {}) {
    const turn = { mayHoldMail: true };
    const told: (readonly string[])[] = [];
    const servers = [{ name: 'agent-relay' }, { name: 'my server' }, { name: 'other' }];
    const asked: string[] = [];
    const connection = {
      version,
      askAbout: async (tools: readonly string[]) => {
        if (fails) throw fails;
        told.push(tools);
      },
      control: async (subtype: string) => {
        asked.push(subtype);
        return { mcpServers: servers };
      },
    };
    const askRules = new AskRules({ mode: 'unrestricted', approval: 'guarded', relayServers: ['agent-relay'] }, turn);
    const atFirst = askRules.begin();
    askRules.answered(taken);
    return { turn, told, asked, askRules, atFirst, connection };
  }

  test('tells of servers by their names, and of a tool besides once it is known', async () => {
    const { told, askRules, atFirst, connection } = rules();
    await askRules.attach(connection);
    expect(told).toEqual([[...atFirst, 'mcp__my_server', 'mcp__other']]);
    const tools = ['Bash', 'Brew', 'mcp__other__pour', 'mcp__agent-relay__relay_send', 'no name(*)'];
    askRules.heard({ type: 'system', subtype: 'init', tools, mcp_servers: [{ name: 'other' }, { name: 'third' }] });
    await askRules.update();
    expect(told.slice(1)).toEqual([[...atFirst, 'mcp__my_server', 'mcp__other', 'mcp__third', 'Brew']]);
  });

  test('says each change once, and nothing to one that takes none', async () => {
    const { turn, told, askRules, connection } = rules();
    await askRules.attach(connection);
    turn.mayHoldMail = false;
    askRules.heard({ type: 'user' });
    askRules.heard({ type: 'assistant' });
    await askRules.update();
    expect(told.slice(1)).toEqual([[]]);
    const refusing = rules({ taken: false });
    await refusing.askRules.attach(refusing.connection);
    refusing.turn.mayHoldMail = false;
    await refusing.askRules.update();
    expect([refusing.told, refusing.asked]).toEqual([[], []]);
  });

  test('takes its rules back from one that says its version: it runs nothing whose hook is not answered', async () => {
    const { told, asked, askRules, connection } = rules({ version: '2.1.329' });
    await askRules.attach(connection);
    expect([told, asked, askRules.begin()]).toEqual([[[]], [], []]);
  });

  test('between two links keep nothing waiting: the next begins with them; a refusal is told, and tried again', async () => {
    const between = rules({ fails: new RelayError('connection_closed', 'Claude Code is not connected') });
    await between.askRules.attach(between.connection);
    between.turn.mayHoldMail = false;
    await between.askRules.update();
    expect(between.askRules.begin()).toEqual([]);
    const refused = rules({ fails: new RelayError('unsupported', 'no') });
    await refused.askRules.attach(refused.connection);
    await expect(refused.askRules.update()).rejects.toMatchObject({ code: 'unsupported' });
    await expect(refused.askRules.update()).rejects.toMatchObject({ code: 'unsupported' });
  });
});
