import { expect, test } from 'vitest';
import { planLaunch, readThreadMode, runtimeModeOf } from './launch-plan.ts';

const id = '01a228ce-37d4-7432-bcf9-7a57e0784c51';
const usual = ['--ask-for-approval', 'never', '--sandbox', 'workspace-write'];
const argsOf = (args: readonly string[]) => planLaunch({ args, mode: 'start', newest: null }).args;

test.each([[[]], [['fix it']], [['-m', 'gpt-5.5', '--search']]])('%j runs in the usual mode', (args) => {
  expect(argsOf(args)).toEqual([...usual, ...args]);
});

test.each([
  [['--ask-for-approval', 'on-request']],
  [['-a', 'on-request']],
  [['--sandbox=read-only']],
  [['-s', 'read-only']],
  [['-sread-only']],
  [['--full-auto']],
  [['--yolo']],
  [['--dangerously-bypass-approvals-and-sandbox', 'go']],
  [['-c', 'sandbox_mode="read-only"']],
  [['--config=approval_policy="on-request"']],
])('%j is left alone', (args) => {
  expect(argsOf(args)).toEqual(args);
});

test('a mode in a prompt decides nothing', () => {
  expect(argsOf(['say --yolo'])).toEqual([...usual, 'say --yolo']);
});

test('commands without a session are run as they are', () => {
  expect(planLaunch({ args: ['login', '--api-key'], mode: 'start', newest: null })).toEqual({
    kind: 'other',
    args: ['login', '--api-key'],
    resumes: null,
  });
});

test('which conversation', () => {
  expect(planLaunch({ args: ['go'], mode: 'start', newest: id }).args).toEqual([...usual, 'go']);
  expect(planLaunch({ args: ['go'], mode: 'auto', newest: null }).args).toEqual([...usual, 'go']);
  expect(planLaunch({ args: ['go'], mode: 'auto', newest: id })).toEqual({
    kind: 'tui',
    args: ['resume', ...usual, id, 'go'],
    resumes: id,
  });
  expect(planLaunch({ args: [], mode: 'resume', newest: null }).args).toEqual(['resume', ...usual]);
  expect(planLaunch({ args: ['resume', id], mode: 'start', newest: null })).toEqual({
    kind: 'tui',
    args: ['resume', ...usual, id],
    resumes: id,
  });
  expect(planLaunch({ args: ['fork', id], mode: 'auto', newest: null })).toEqual({
    kind: 'tui',
    args: ['fork', ...usual, id],
    resumes: null,
  });
});

test('the command line goes before the environment, and that before the fallback', () => {
  const env = { CODEX_THREAD_MODE: 'auto', AGENT_RELAY_CODEX_FALLBACK_THREAD_MODE: 'resume' };
  expect([readThreadMode('start', env), readThreadMode(undefined, env)]).toEqual(['start', 'auto']);
  expect([readThreadMode(undefined, { ...env, CODEX_THREAD_MODE: '' }), readThreadMode(undefined, {})]).toEqual(['resume', 'start']);
  expect(() => readThreadMode(undefined, { CODEX_THREAD_MODE: 'newest' })).toThrow(
    'CODEX_THREAD_MODE is one of start, auto, resume, not newest',
  );
});

test.each([
  [[], 'never', 'workspace-write'],
  [['resume', id, '--yolo'], 'never', 'danger-full-access'],
  [['--full-auto'], 'on-request', 'workspace-write'],
  [['-a', 'untrusted', '--sandbox=read-only'], 'untrusted', 'read-only'],
])('without a terminal %j is %s in %s', (args, approvalPolicy, sandbox) => {
  expect(runtimeModeOf(args)).toEqual({ approvalPolicy, sandbox });
});

test.each([[['--search']], [['-a', 'sometimes']], [['--sandbox']]])('without a terminal %j is refused', (args) => {
  expect(() => runtimeModeOf(args)).toThrow(expect.objectContaining({ code: 'validation_failed' }));
});
