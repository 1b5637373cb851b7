import { RelayError } from 'agent-relay-protocol';

export const permissionModes = ['default', 'acceptEdits', 'plan', 'dontAsk', 'bypassPermissions'] as const;
/** What Claude does without asking. `bypassPermissions` needs a CLI that was started for it. */
export type ClaudePermissionMode = (typeof permissionModes)[number];

/** @throws RelayError `validation_failed`, naming `mode`. */
export function checkPermissionMode(mode: string): ClaudePermissionMode {
  const known = permissionModes.find((each) => each === mode);
  if (known !== undefined) return known;
  const issues = [{ path: 'mode', message: `must be one of ${permissionModes.join(', ')}` }];
  throw new RelayError('validation_failed', 'This is no permission mode of Claude Code', { issues });
}
