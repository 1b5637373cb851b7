import { expect, test } from 'vitest';
import { readFrame } from '../src/ai-relay/read-frame.ts';
import { connect, startBridge } from './bridge-world.ts';

const answerTo = (fields: object) => {
  const read = readFrame(JSON.stringify({ type: 'permission_response', request_id: 'q', ...fields }));
  return read.type === 'permission' ? read.verdict : read;
};

test.each(['allow', 'Allowed', 'accept', 'approve', 'approved', 'yes', true, 'proceed', 'allow_once'])('%s is a yes', (decision) => {
  expect(answerTo({ decision })).toEqual({ outcome: 'allow' });
});

test.each(['acceptForSession', 'approved_for_session', 'allow_always', 'proceed_always', 'allow-session'])(
  '%s is a yes that stays',
  (word) => {
    expect(answerTo({ behavior: word })).toEqual({ outcome: 'allow', forSession: true });
  },
);

test.each(['allow_never', 'accept-denied', 'yesterday', 'approved: no', 'deny', 'disallow', 'allow_always_not', '', false, 1])(
  '%s is a no',
  (word) => {
    expect(answerTo({ decision: word })).toEqual({ outcome: 'deny' });
  },
);

test.each([
  ['deny', 'denied'],
  ['allow', 'allowed'],
  ['allow_once', 'allowed'],
  ['allow_never', 'denied'],
])("an optionId is one of the question's own, or a word: %s is %s", async (optionId, outcome) => {
  const { url } = await startBridge({ protocol: 'ai-relay', mode: 'agentic' });
  const client = await connect(url);
  client.send({ tool: 'claude', folder: '.' });
  client.send({ text: 'ask' });
  const { request_id } = await client.next(({ type }) => type === 'permission_request');
  client.send({ type: 'permission_response', request_id, optionId });
  expect(await client.next(({ type }) => type === 'response')).toMatchObject({ text: outcome });
});
