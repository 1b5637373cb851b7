import { expect, test } from 'vitest';
import { machineProviders } from './machine-providers.ts';

const all = 'safe,agentic,unrestricted';
const free = 'waits -approvals +diffs -resume unrestricted';
const freeAndResumed = 'waits -approvals +diffs +resume unrestricted';

/** As `agent-relay providers` lists them. What the first four columns say is held against each provider's contract in its own package. */
test('each kind of agent that a machine offers says what it can do', () => {
  const sign = (can: boolean | undefined, name: string) => `${can ? '+' : '-'}${name}`;
  const rows = machineProviders().map(({ id, abilities, resumes }) => {
    const words = [sign(abilities?.approvals, 'approvals'), sign(abilities?.diffs, 'diffs'), sign(resumes, 'resume')];
    return [id, [abilities?.steer, ...words, abilities?.modes.join(',')].join(' ')];
  });
  const expected = {
    claude: `joins +approvals +diffs +resume ${all}`,
    codex: `joins +approvals +diffs +resume ${all}`,
    'codex-exec': `waits -approvals +diffs +resume ${all}`,
    gemini: `waits +approvals +diffs -resume ${all}`,
    ...{
      opencode: free,
      'codex-acp': freeAndResumed,
      'claude-agent-acp': freeAndResumed,
      qwen: free,
      copilot: free,
      cursor: free,
      goose: free,
    },
    ...{ cline: free, droid: free, kimi: free, auggie: free, vibe: free },
    ...{ cortex: freeAndResumed, amp: free, 'qwen-lines': freeAndResumed, agy: 'waits -approvals -diffs -resume unrestricted' },
  };
  expect(new Set(rows.map(([id]) => id)).size).toBe(rows.length);
  expect(Object.fromEntries(rows)).toEqual(expected);
});
