import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import type { Answer, Call, Plan } from './racers.ts';

/** One of several clients that race, and nothing but HTTP. Says that it is there; then each line of its input is a plan, each line of its output the answers to one. */
console.log('"there"');
for await (const line of createInterface({ input: process.stdin })) {
  const plan: Plan = JSON.parse(line); // written by racers.ts
  await pause(plan.startAt - Date.now());
  console.log(JSON.stringify(await runAll(plan)));
}

async function runAll(plan: Plan): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  const left = plan.calls.values();
  const lane = async () => {
    for (const call of left) answers.push(await answerOf(plan, call));
  };
  await Promise.all(Array.from({ length: plan.inFlight }, lane));
  return answers;
}

/** Asks again when no answer came, and as long as the one who is known to be gone holds the work. */
async function answerOf(plan: Plan, call: Call): Promise<Answer> {
  for (;;) {
    const answer = await ask(plan.url, call).catch(() => null);
    if (answer === null) await pause(20);
    else if (plan.gone !== undefined && answer.error?.details?.['agentId'] === plan.gone) await pause(150);
    else return answer;
  }
}

async function ask(url: string, { method, path, token, body }: Call): Promise<Answer> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
  const response = await fetch(`${url}/api${path}`, { method, headers, body: JSON.stringify(body) });
  const answer: Pick<Answer, 'body' | 'error'> = JSON.parse(await response.text());
  return { status: response.status, body: answer, ...(answer.error && { error: answer.error }) };
}
