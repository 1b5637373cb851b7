/**
 * Records what each installed Codex says about a few turns, for the translation tests:
 * `node --conditions=agent-relay-source test/record-fixtures.ts`. A file is named by the version that said it; paths of the machine are replaced.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CodexAppServer } from '../src/app-server/codex-app-server.ts';
import { CodexClient } from '../src/app-server/codex-client.ts';
import type { CodexThread } from '../src/app-server/codex-thread.ts';
import type { StartThreadParams, StartTurnParams } from '../src/app-server/methods.ts';
import { type CodexNotification, parseNotification } from '../src/app-server/notifications.ts';
import { startFakeRelayTools } from './fake-relay-tools.ts';
import { codexBench, codexVersions } from './harness.ts';

interface Scene {
  readonly text: string;
  readonly turn?: Partial<StartTurnParams>;
  readonly thread?: Partial<StartThreadParams>;
  /** The answer to what Codex asks. Default: no. */
  readonly decision?: string;
  /** How many turns are waited for. Default 1. */
  readonly turns?: number;
  /** Done once a notification of this method has come. */
  readonly on?: { readonly method: string; readonly act: (thread: CodexThread) => Promise<unknown> };
  /** Done before the turn. */
  readonly before?: (thread: CodexThread) => Promise<unknown>;
  /** Recorded for so long after the last turn. */
  readonly afterMs?: number;
}

const workspaceWrite = {
  type: 'workspaceWrite',
  writableRoots: [],
  networkAccess: false,
  excludeTmpdirEnvVar: false,
  excludeSlashTmp: false,
} as const;
const readOnly = { type: 'readOnly', networkAccess: false } as const;
const mayAsk = { sandboxPolicy: readOnly, approvalPolicy: 'on-request' } as const;
const ownTools = {
  type: 'namespace',
  name: 'agent-relay',
  description: 'Tools of agent-relay.',
  tools: [
    {
      type: 'function',
      name: 'relay_send',
      description: 'Sends a message',
      inputSchema: { type: 'object', properties: { to: { type: 'string' } } },
    },
  ],
} as const;
const slow = 'slow 40 50';
const planMode = { mode: 'plan', settings: { model: 'gpt-5.5', reasoning_effort: null, developer_instructions: null } };
const spawnAgent = { message: 'run command: echo from below && then say: child done' };

const scenes = (relayUrl: string): Readonly<Record<string, Scene>> => ({
  say: { text: 'think: hmm && then say: The answer is 42.' },
  command: { text: 'run command: printf out; exit 3 && then say: ran it', turn: { sandboxPolicy: workspaceWrite } },
  edit: { text: 'edit file: note.txt | hello && then say: written', turn: { sandboxPolicy: workspaceWrite } },
  'declined-edit': { text: 'edit file: /home/elsewhere/note.txt | hello && then say: not written', turn: mayAsk },
  'allowed-edit': { text: 'edit file: allowed.txt | hello && then say: written', turn: mayAsk, decision: 'accept' },
  'allowed-for-session': {
    text: 'edit file: twice.txt | one && then edit file: twice.txt | two && then say: written',
    turn: mayAsk,
    decision: 'acceptForSession',
  },
  failed: { text: 'error 429' },
  plan: {
    text: String.raw`say: <proposed_plan>\n- Read the code\n- Change it\n</proposed_plan>`,
    before: (thread) => client.request('thread/settings/update', { threadId: thread.id, collaborationMode: planMode }),
  },
  'mcp-call': {
    text: 'call relay_send {"to":"Bob"} && then say: sent',
    thread: { config: { mcp_servers: { 'agent-relay': { url: relayUrl, default_tools_approval_mode: 'approve' } } } },
  },
  'own-tool': { text: 'call relay_send {"to":"Bob"} && then say: sent', thread: { dynamicTools: [ownTools] } },
  steered: {
    text: slow,
    on: {
      method: 'item/agentMessage/delta',
      act: (thread) => thread.steer(thread.activeTurnId ?? '', { text: 'say: steered', clientUserMessageId: 'relay-2' }),
    },
  },
  interrupted: { text: slow, on: { method: 'item/agentMessage/delta', act: (thread) => thread.interrupt() } },
  queued: {
    text: slow,
    turns: 2,
    on: {
      method: 'item/agentMessage/delta',
      act: (thread) => thread.enqueue({ text: 'say: from the queue', clientUserMessageId: 'relay-2' }),
    },
  },
  compacted: {
    text: 'say: before',
    turns: 2,
    on: { method: 'turn/completed', act: (thread) => client.request('thread/compact/start', { threadId: thread.id }) },
  },
  'web-search': { text: 'search web: how tall is the tower && then say: Tall.', thread: { config: { web_search: 'live' } } },
  'sub-agent': { text: `call spawn_agent ${JSON.stringify(spawnAgent)} && then say: parent done`, afterMs: 2_500 },
});

let client: CodexClient;

async function record(scene: Scene, cwd: string): Promise<readonly object[]> {
  const lines: object[] = [];
  const asked: object[] = [];
  const onRequest = ({ method, params }: CodexNotification) => {
    asked.push({ request: { method, params } });
    if (method === 'item/tool/call') return { success: true, contentItems: [{ type: 'inputText', text: 'the session answered' }] };
    return { decision: scene.decision ?? 'decline' };
  };
  const thread = await client.startThread({ cwd, approvalPolicy: 'never', sandbox: 'read-only', ...scene.thread }, { onRequest });
  await scene.before?.(thread);
  await thread.startTurn({ text: scene.text, clientUserMessageId: 'relay-1', ...scene.turn });
  let turns = 0;
  let acted: Promise<unknown> | undefined;
  for await (const notification of thread.notifications) {
    lines.push(notification);
    if (notification.method === scene.on?.method) acted ??= scene.on.act(thread);
    if (parseNotification(notification)?.method !== 'turn/completed') continue;
    turns += 1;
    if (turns === (scene.turns ?? 1)) {
      if (scene.afterMs === undefined) break;
      setTimeout(() => void thread.unload().catch(() => {}), scene.afterMs);
    }
  }
  await acted;
  return [...lines, ...asked];
}

const only = process.argv.slice(2);
for (const [version, command] of codexVersions) {
  await using bench = await codexBench(command);
  await using server = await CodexAppServer.start({ command, env: bench.env });
  await using relay = await startFakeRelayTools();
  client = await CodexClient.connect(server.endpoint, { clientInfo: { name: 'recorder', version: '1' } });
  const cwd = bench.home.workFolder;
  for (const [name, scene] of Object.entries(scenes(relay.url))) {
    if (only.length > 0 && !only.includes(name)) continue;
    const lines = (await record(scene, cwd)).map((entry) =>
      JSON.stringify(entry).replaceAll(cwd, '/home/user/project').replaceAll(bench.home.directory, '/home/user'),
    );
    await writeFile(join(import.meta.dirname, 'fixtures', `${version}-${name}.jsonl`), `${lines.join('\n')}\n`);
  }
  bench.model.takeViolations();
  await client.close();
}
