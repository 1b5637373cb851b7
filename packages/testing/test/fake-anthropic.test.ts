import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { agentCliPaths, callTool, say, startFakeAnthropic, tempHome, think, wordScript } from '../src/index.ts';
import { startClaude } from './support/claude-session.ts';
import { startRelayTools } from './support/relay-tools.ts';

const { claude, claudeDialling } = agentCliPaths();
const versions = [
  { version: '2.1.329', binary: claude },
  ...(claudeDialling === undefined ? [] : [{ version: '2.1.120', binary: claudeDialling }]),
];

describe.each(versions)('Claude Code $version', ({ binary }) => {
  test('hears the answer, streamed slowly or at once', async () => {
    await using home = await tempHome();
    await using fake = await startFakeAnthropic({ model: wordScript() });
    await using session = startClaude(binary, {
      env: { ...home.env(), ...fake.env() },
      cwd: home.workFolder,
      args: ['--include-partial-messages'],
    });

    expect(await session.ask('[msg:42] from Lead: say: hello there\n[end msg:42 lead n0nce]')).toMatchObject({
      is_error: false,
      result: 'hello there',
    });
    const before = session.messages.length;
    expect(await session.ask('slow 3 10')).toMatchObject({ result: 'word001 word002 word003 ' });
    const deltas = session.messages.slice(before).filter((message) => JSON.stringify(message).includes('text_delta'));
    expect(deltas).toHaveLength(3);
    expect(fake.requests.map(({ model }) => model?.lastUserText).filter((text) => text !== undefined)).toEqual([
      '[msg:42] from Lead: say: hello there\n[end msg:42 lead n0nce]',
      'slow 3 10',
    ]);
  });

  test('writes a new file, overwrites it, and runs a command', async () => {
    await using home = await tempHome();
    await using fake = await startFakeAnthropic({ model: wordScript() });
    await writeFile(join(home.workFolder, 'old.txt'), 'before\n');
    await using session = startClaude(binary, { env: { ...home.env(), ...fake.env() }, cwd: home.workFolder });

    const result = await session.ask(
      'edit file: new.txt | one\\ntwo && then edit file: old.txt | after && then run command: cat new.txt old.txt > all.txt && then say: written',
    );
    expect(result).toMatchObject({ is_error: false, result: 'written' });
    expect(await readFile(join(home.workFolder, 'all.txt'), 'utf8')).toBe('one\ntwo\nafter\n');
    const asked = session.messages.flatMap(({ request }) => (request?.subtype === 'can_use_tool' ? [request.tool_name] : []));
    expect(asked).toEqual(['Write', 'Write', 'Bash']);
  });

  test('hears what is said during a turn', async () => {
    await using home = await tempHome();
    await using fake = await startFakeAnthropic({ model: wordScript() });
    await using session = startClaude(binary, { env: { ...home.env(), ...fake.env() }, cwd: home.workFolder });

    const turn = session.ask('run command: touch started; sleep 1.5 && then say: not this');
    await expect.poll(() => existsSync(join(home.workFolder, 'started'))).toBe(true);
    session.prompt('[msg:7] from Peer: say: something new\n[end msg:7 peer n0nce]');
    expect(await turn).toMatchObject({ result: 'something new' });
    expect(fake.requests.at(-1)?.model?.conversation.slice(-2)).toMatchObject([
      { kind: 'toolResult', name: 'Bash', text: '(Bash completed with no output)' },
      { kind: 'userText', text: '[msg:7] from Peer: say: something new\n[end msg:7 peer n0nce]' },
    ]);
  });

  test.each([{ alwaysLoad: true }, { alwaysLoad: false }])(
    'calls an MCP tool by its bare name, $alwaysLoad loaded',
    async ({ alwaysLoad }) => {
      await using tools = await startRelayTools();
      await using home = await tempHome();
      await using fake = await startFakeAnthropic({
        model: ({ toolResultsSinceLastAssistant: [result] }) =>
          result === undefined
            ? [think('whom to tell?'), say('Telling.'), callTool('relay_send', { to: 'Worker', body: 'hi' })]
            : say(`${result.name}: ${result.text}`),
      });
      const server = { type: 'http', url: tools.url, headers: { authorization: 'Bearer of-this-agent' }, alwaysLoad };
      const args = ['--mcp-config', JSON.stringify({ mcpServers: { 'agent-relay': server } })];
      await using session = startClaude(binary, { env: { ...home.env(), ...fake.env() }, cwd: home.workFolder, args });

      expect(await session.ask('Tell Worker.')).toMatchObject({ is_error: false, result: 'relay_send: sent to Worker' });
      expect(tools.sent).toEqual([{ to: 'Worker', body: 'hi' }]);
      expect(tools.authorizations).toContain('Bearer of-this-agent');
    },
  );

  test('fails loudly when the model calls a tool that was not offered', async () => {
    await using home = await tempHome();
    await using fake = await startFakeAnthropic({ model: () => callTool('relay_fly', {}) });
    await using session = startClaude(binary, { env: { ...home.env(), ...fake.env() }, cwd: home.workFolder });

    const result = await session.ask('Fly.');
    expect(result.is_error).toBe(true);
    expect(result.result).toContain('called relay_fly, which this request does not offer');
    expect(() => fake.assertNoViolations()).toThrow('relay_fly');
    const violations = fake.takeViolations();
    expect(violations.filter((violation) => violation.includes('called relay_fly'))).toHaveLength(violations.length);
  });
});
