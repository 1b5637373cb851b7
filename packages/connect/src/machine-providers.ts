import { acpProviders } from 'agent-relay-acp';
import { ClaudeProvider } from 'agent-relay-claude';
import { CodexExecProvider, CodexProvider } from 'agent-relay-codex-app-server';
import { lineProviders } from 'agent-relay-lines';
import type { Provider } from 'agent-relay-provider';

/** Every kind of agent that `relay-connect` knows, installed or not. */
export const machineProviders = (): readonly Provider[] => [
  new ClaudeProvider(),
  new CodexProvider(),
  new CodexExecProvider(),
  ...acpProviders(),
  ...lineProviders(),
];
