export { exitDetail, ownedProcess, processEnd } from './kit/owned-process.ts';
export { type Printed, printedBy } from './kit/printed-by.ts';
export { inputAccepted, UnseenPrompts } from './kit/prompt-evidence.ts';
export type { TrackedSession, TrackedStart } from './kit/provider-sessions.ts';
export { ProviderSessions } from './kit/provider-sessions.ts';
export type { SessionRights, ToolRefusal, ToolUse, ToolVerdict } from './kit/tool-policy.ts';
export { judgeTool } from './kit/tool-policy.ts';
export type { VendorProgram } from './kit/vendor-program.ts';
export { detectProgram, findProgram } from './kit/vendor-program.ts';
