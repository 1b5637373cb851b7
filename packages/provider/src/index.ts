export { ApprovalDesk, type ApprovalDeskOptions, type ApprovalQuestion, type ApprovalVerdict } from './approval-desk.ts';
export type {
  AgentSession,
  ApprovalDecision,
  BackgroundStart,
  DialIn,
  DialledLink,
  GreetedProgram,
  McpEndpoint,
  OwnedProcess,
  ProcessSandbox,
  PromptImage,
  PromptInput,
  PromptOptions,
  Provider,
  ProviderAvailability,
  ReservedAgainst,
  SandboxFiles,
  SandboxPlace,
  StartOptions,
  VendorAbilities,
} from './contract.ts';
export { editRefusal, guardedPart } from './guarded-paths.ts';
export { deliveryOf, isMail, isMailRestricted } from './is-mail.ts';
export { holdsMail, mayHandOutMail } from './mail-tools.ts';
export { openBelow } from './open-below.ts';
export { ourId } from './our-id.ts';
export { pathInside, realPathOf } from './path-inside.ts';
export type { AgentFault, EndOfSession, LiveEvent, SessionEnded, SessionEventsOptions } from './session-events.ts';
export { SessionEvents } from './session-events.ts';
