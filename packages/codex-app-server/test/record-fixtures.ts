/**
 * Records what the installed Codex says about a few turns, for the translation tests:
 * `node --conditions=agent-relay-source test/record-fixtures.ts`. Paths of the machine are replaced.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CodexAppServer } from '../src/app-server/codex-app-server.ts';
import { CodexClient } from '../src/app-server/codex-client.ts';
import type { StartThreadParams, StartTurnParams } from '../src/app-server/methods.ts';
import type { CodexNotification } from '../src/app-server/notifications.ts';
import { codexBench } from './harness.ts';

await using bench = await codexBench();
await using server = await CodexAppServer.start({ command: bench.command, env: bench.env });
await using client = await CodexClient.connect(server.endpoint, { clientInfo: { name: 'recorder', version: '1' } });

const cwd = bench.home.workFolder;
const workspaceWrite = {
  type: 'workspaceWrite',
  writableRoots: [],
  networkAccess: false,
  excludeTmpdirEnvVar: false,
  excludeSlashTmp: false,
} as const;

async function record(
  name: string,
  text: string,
  turn: Partial<StartTurnParams> = {},
  thread: Partial<StartThreadParams> = {},
): Promise<void> {
  const asked: CodexNotification[] = [];
  const recorded: CodexNotification[] = [];
  const opened = await client.startThread(
    { cwd, approvalPolicy: 'never', sandbox: 'read-only', ...thread },
    {
      onRequest: ({ method, params }) => {
        asked.push({ method, params });
        return { decision: 'decline' };
      },
    },
  );
  await opened.startTurn({ text, clientUserMessageId: 'relay-1', ...turn });
  for await (const notification of opened.notifications) {
    recorded.push(notification);
    if (notification.method === 'turn/completed') break;
  }
  const lines = [...recorded, ...asked.map((request) => ({ request }))].map((entry) =>
    JSON.stringify(entry).replaceAll(cwd, '/home/user/project').replaceAll(bench.home.directory, '/home/user'),
  );
  await writeFile(join(import.meta.dirname, 'fixtures', `${name}.jsonl`), `${lines.join('\n')}\n`);
}

await record('say', 'think: hmm && then say: The answer is 42.');
await record('command', 'run command: printf out; exit 3 && then say: ran it', { sandboxPolicy: workspaceWrite });
await record('edit', 'edit file: note.txt | hello && then say: written', { sandboxPolicy: workspaceWrite });
await record('declined-edit', 'edit file: /home/elsewhere/note.txt | hello && then say: not written', {
  sandboxPolicy: { type: 'readOnly', networkAccess: false },
  approvalPolicy: 'on-request',
});
await record('failed', 'error 429');
bench.model.takeViolations();
