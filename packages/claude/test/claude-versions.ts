import { agentCliPaths } from 'agent-relay-testing';

const { claude, claudeDialling } = agentCliPaths();

/** The pinned CLIs that are installed here, by version. */
export const claudeVersions: readonly (readonly [version: string, command: string])[] = [
  ['2.1.329', claude],
  ...(claudeDialling === undefined ? [] : [['2.1.120', claudeDialling] as const]),
];
