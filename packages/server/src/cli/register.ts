import { agentIdentity } from 'agent-relay-client/node';
import { aborted } from 'agent-relay-wire';
import type { Command } from 'commander';
import { type RelayOptions, relayCommand, withRelay } from './relay-access.ts';
import type { Terminal } from './terminal.ts';

interface RegisterOptions extends RelayOptions {
  readonly profile?: string;
  readonly session: string;
  readonly provider?: string;
  readonly stay?: true;
  readonly json?: true;
}

export const registerCommand = (terminal: Terminal): Command =>
  relayCommand('register')
    .description('Register an agent for this folder; its id is the same each time')
    .option('--profile <name>', 'what it says of itself: a profile of the profiles file (AGENT_RELAY_PROFILE)')
    .option('--session <key>', 'tells several agents of one folder apart', '')
    .option('--provider <name>', 'the kind of agent it is, e.g. claude')
    .option('--stay', 'keep it present until Ctrl-C; without it the agent must send heartbeats itself')
    .option('--json', 'print the whole card')
    .addHelpText('after', environment)
    .action(async ({ profile, session, provider, stay, json, ...options }: RegisterOptions) => {
      const env = { ...terminal.env, ...(profile === undefined ? {} : { AGENT_RELAY_PROFILE: profile }) };
      const identity = agentIdentity({ cwd: terminal.cwd, sessionKey: session, env, ...(provider && { provider }) });
      await withRelay(options, terminal, async (client) => {
        if (!stay) {
          const agent = await client.agents.register(identity, { signal: terminal.signal });
          terminal.out(json ? JSON.stringify(agent) : agent.id);
          return;
        }
        const handle = await client.register(identity);
        try {
          terminal.out(json ? JSON.stringify(handle.agent) : handle.id);
          await aborted(AbortSignal.any([terminal.signal, handle.signal]));
          if (handle.signal.aborted) throw handle.signal.reason;
        } finally {
          await handle.close();
        }
      });
    });

const environment = `
The environment wins over the profile, field by field: AGENT_RELAY_ID, AGENT_RELAY_LABEL, AGENT_RELAY_CAPS,
AGENT_RELAY_CHANNELS, AGENT_RELAY_APPROVAL; AGENT_RELAY_TAGS adds. The profiles file is AGENT_RELAY_PROFILES_FILE,
else ~/.config/agent-relay/profiles.json: { "backend": { "label": …, "tags": […], "capabilities": […], … } }`;
