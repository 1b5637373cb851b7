import type { Hook, HookResult } from 'agent-relay-protocol';
import { known } from '../known.ts';

/** `on_file_change`, for people. */
export const triggerWords = (trigger: string): string => trigger.replaceAll('_', ' ');

const actions: Readonly<Record<string, string>> = {
  command: 'runs',
  relay: 'writes to',
  webhook: 'posts to',
  notify: 'notifies',
  approve: 'allows',
};
export const hookActionWords = (action: string): string => known(actions, action, (word) => `${word}:`);

const looks: Readonly<Record<string, { readonly mark: string; readonly tone: string; readonly word: string }>> = {
  succeeded: { mark: '✔', tone: 'text-good', word: 'done' },
  failed: { mark: '✕', tone: 'text-bad', word: 'failed' },
  timed_out: { mark: '⏱', tone: 'text-bad', word: 'took too long' },
  skipped: { mark: '–', tone: 'text-soft', word: 'skipped' },
};
export const outcomeLook = (outcome: string) => known(looks, outcome, (word) => ({ mark: '?', tone: 'text-soft', word }));

/** How long a run took. */
export const formatTook = (durationMs: number): string =>
  durationMs < 1_000 ? `${Math.round(durationMs)} ms` : `${(durationMs / 1_000).toFixed(1)} s`;

/** What came of a run, in a line. */
export const runWords = ({ outcome, exitCode, durationMs }: Pick<HookResult, 'outcome' | 'exitCode' | 'durationMs'>): string =>
  [outcomeLook(outcome).word, ...(exitCode === undefined ? [] : [`exit ${exitCode}`]), `in ${formatTook(durationMs)}`].join(', ');

/** Whose events set it off. */
export const whomWords = ({ agents }: Pick<Hook, 'agents'>): string => (agents === '*' ? 'every agent' : agents.replace(/^agent:/u, ''));
