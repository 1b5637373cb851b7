import { agentCliPaths } from 'agent-relay-testing';

const { claude, claudeDialling, claudeBetween } = agentCliPaths();

/** The pinned CLI, and the oldest that is run, by version. */
export const claudeVersions: readonly (readonly [version: string, command: string])[] = [
  ['2.1.329', claude],
  ...(claudeDialling === undefined ? [] : [['2.1.120', claudeDialling] as const]),
];

/** Every version that is installed here. */
export const allClaudeVersions: typeof claudeVersions = [...claudeVersions, ...claudeBetween];
