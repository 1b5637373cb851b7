// Records what the real Gemini CLI tells, for the translator test: `node --conditions=agent-relay-source test/record-fixtures.ts`.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { agentCliPaths } from 'agent-relay-testing';
import { ndjsonDuplex, spawnProcess } from 'agent-relay-wire/node';
import { AcpConnection } from '../src/acp/acp-connection.ts';
import { acpAgents } from '../src/catalogue.ts';
import { geminiHarness } from './gemini-harness.ts';

const conversations = {
  tools: 'think: let me see && then edit file: note.txt | hello && then run command: echo ran && then say: both done',
  refused: 'run command: touch no.txt && then say: refused',
};
const harness = await geminiHarness();
const env = { ...harness.env, ...acpAgents.gemini.sets };
const child = await spawnProcess({
  command: agentCliPaths().gemini,
  args: ['--acp', '--model', 'gemini-2.5-flash'],
  cwd: harness.cwd,
  env,
});
let lines: unknown[] = [];
let isAllowed = true;
const connection = new AcpConnection(ndjsonDuplex(child), {
  onUpdate: (update) => void lines.push({ update: 'raw' in update ? update.raw : update }),
  onPermission: async (asked) => {
    lines.push({ asked: asked.toolCall, isAllowed });
    const kind = isAllowed ? 'allow_once' : 'reject_once';
    return { outcome: 'selected', optionId: asked.options.find((option) => option.kind === kind)?.optionId ?? '' };
  },
  onReadFile: async () => '',
  onWriteFile: async () => {},
  onStray: (stray) => void lines.push({ stray }),
});
try {
  const { agentInfo } = await connection.initialize();
  await connection.newSession({ cwd: harness.cwd, mcp: [] });
  for (const [name, text] of Object.entries(conversations)) {
    lines = [];
    isAllowed = name !== 'refused';
    const answer = await connection.prompt([{ type: 'text', text }]);
    const recorded = [{ begin: { text, messageIds: [7] } }, ...lines, { answer }].map((line) => JSON.stringify(line));
    const file = join(import.meta.dirname, 'fixtures', `gemini-${agentInfo?.version}-${name}.jsonl`);
    writeFileSync(file, `${recorded.join('\n')}\n`.replaceAll(harness.cwd, '/home/ada/work').replaceAll(/_\d{13}_/gu, '_1764432000000_'));
  }
} finally {
  await connection.close();
  await harness.close();
}
