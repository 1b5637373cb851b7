export { type CodexRelay, type CodexRelayOptions, type HeadlessThread, startCodexRelay } from './relay/start-codex-relay.ts';
