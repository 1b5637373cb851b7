import type { SpawnMode } from 'agent-relay-protocol';

const stayInside =
  'You work in the current folder and nowhere else. Name files by paths relative to it, and keep what you read, make and change inside it.';

/** What the agent is told besides: by the bridge, because no file of the project is overwritten for it, and by the client. */
export function instructionsOf(mode: SpawnMode, systemPrompt: string): string {
  return [...(mode === 'safe' ? [] : [stayInside]), ...(systemPrompt === '' ? [] : [systemPrompt])].join('\n\n');
}
