import type { VendorProgram } from 'agent-relay-provider/kit';

export const claudeProgram = (command: string): VendorProgram => ({
  name: 'Claude Code',
  command,
  install: 'with `npm install -g @anthropic-ai/claude-code`',
});
