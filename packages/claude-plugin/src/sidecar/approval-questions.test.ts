import { silentLog } from 'agent-relay-wire';
import { expect, test } from 'vitest';
import { ApprovalQuestions } from './approval-questions.ts';
import type { RelaySide } from './relay-side.ts';

/** A dialog that people are told of; `isTold` says whether they still are. */
function dialog() {
  const ask = (_question: object, { signal }: { readonly signal: AbortSignal }) =>
    new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
  const link = { calls: { approvals: { ask } }, agent: { id: 'me', instanceId: 'i', epoch: 1 } } as unknown as RelaySide['link']; // all that is called of it
  const questions = new ApprovalQuestions({ relay: { link, state: 'connected', settled: async () => {} }, log: silentLog });
  let isOver = false;
  const tells = questions.tellOfDialog('Claude needs your choice').then(() => {
    isOver = true;
  });
  const isTold = async () => {
    await Promise.race([tells, new Promise((resolve) => setImmediate(resolve))]);
    return !isOver;
  };
  return { questions, isTold };
}
const use = { name: 'Bash', input: { command: 'npm test' } };

test('a dialog is told of while a tool of its turn is in hand, whatever others end meanwhile, and no longer', async () => {
  const { questions, isTold } = dialog();
  for (const toolUseId of ['asks', 'beside']) questions.begun(toolUseId);
  questions.ended({ ...use, toolUseId: 'beside' });
  expect(await isTold()).toBe(true);
  questions.ended({ ...use, toolUseId: 'of a subagent', isOfSubagent: true });
  expect(await isTold()).toBe(true);
  questions.ended({ ...use, toolUseId: 'asks' });
  expect(await isTold()).toBe(false);
});

test('what another tool of the turn before left in hand keeps no dialog told', async () => {
  const before = dialog();
  before.questions.begun('denied at the terminal');
  before.questions.settleAll();
  expect(await before.isTold()).toBe(false);
  const told = before.questions.tellOfDialog('again');
  before.questions.ended({ ...use, toolUseId: '' });
  await told;
});
