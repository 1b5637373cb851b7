// Shared by the webhook examples: reads a delivery on standard input, or listens for deliveries, and reports what `toEvents` makes of them.
import { createServer } from 'node:http';

const MAX_BYTES = 1024 * 1024;
/** Below what senders wait for an answer: GitHub ten seconds, Alertmanager by default longer. */
const ANSWER_WITHIN_MS = Number(process.env.ANSWER_WITHIN_MS ?? 8_000);
const AT_ONCE = 8;
const TAKEN_KEPT = 10_000;

/** A delivery that no repetition would make better: 400, or another status of the 4xx. */
export const unacceptable = (message, status = 400) => Object.assign(new Error(message), { status });

export function parseJson(text) {
  try {
    const value = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // No JSON at all: refused below, like JSON that is no object.
  }
  throw unacceptable('the delivery is no JSON object');
}

/** At most `length` characters, never half of one, on one line. */
export function line(value, length) {
  const text = typeof value === 'string' ? value.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').trim() : '';
  return [...text.slice(0, length)].filter((character) => !/^\p{Cs}$/u.test(character)).join('');
}

export const webAddress = (value) => (URL.canParse(value) && /^https?:/iu.test(value) && value.length <= 2048 ? value : undefined);

/** Refusals of this one event. Any other failure may be over the next time: the relay is away, is full, or does not know the token (yet). */
const isRefusal = (status) => status >= 400 && status < 500 && ![401, 408, 425, 429].includes(status);

/** Reports one event: `{ task }`, `{ refused }` for good, or `{ away, afterMs }`, to be tried again. */
async function report(event) {
  const url = `${process.env.AGENT_RELAY_URL ?? 'http://127.0.0.1:4850'}/api/integrations/events`;
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { authorization: `Bearer ${process.env.INTEGRATION_TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify(event),
      signal: AbortSignal.timeout(Math.min(5_000, ANSWER_WITHIN_MS)),
    });
    const answer = await response.json().catch(() => null);
    if (response.ok && answer !== null) return { answer };
    const said = `${response.status} ${answer?.error?.message ?? ''}`.trim();
    // Without the relay's own words something in between has answered.
    if (isRefusal(response.status) && answer?.error) return { refused: said };
    return { away: said, afterMs: Number(response.headers.get('retry-after') ?? 1) * 1000 || 1_000 };
  } catch (error) {
    return { away: error.cause?.message ?? error.message, afterMs: 1_000 };
  }
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Tries until it is taken or refused, or until `deadline` would pass meanwhile. */
async function reportUntil(event, deadline) {
  for (;;) {
    const outcome = await report(event);
    if (!outcome.away || Date.now() + outcome.afterMs > deadline) return outcome;
    await sleep(outcome.afterMs);
  }
}

/**
 * One delivery's events, each judged by itself. A sender repeats a delivery whole: what was taken of it before is not reported again, so that a
 * large one gets through a small limit bit by bit.
 */
async function reportAll(events, taken, deadline) {
  const outcomes = [];
  const waiting = events.entries();
  const worker = async () => {
    for (const [index, event] of waiting) {
      const key = JSON.stringify(event);
      const isTaken = taken.has(key);
      outcomes[index] = isTaken ? { answer: { outcome: 'repeated', task: null } } : await reportUntil(event, deadline);
      if (outcomes[index].answer && !isTaken) taken.add(key);
      if (outcomes[index].refused) console.error(`refused: ${outcomes[index].refused}: ${line(event.title, 200)}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  // A delivery that is through may come again as news: the alert still fires.
  if (outcomes.every(({ away }) => !away)) for (const event of events) taken.delete(JSON.stringify(event));
  for (const oldest of taken) if (taken.size > TAKEN_KEPT) taken.delete(oldest);
  return outcomes;
}

async function read(stream) {
  const chunks = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
    if (size > MAX_BYTES) throw unacceptable('the delivery is too large', 413);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function answer(toEvents, taken, request) {
  const events = toEvents({ headers: request.headers, body: await read(request) });
  const outcomes = await reportAll(events, taken, Date.now() + ANSWER_WITHIN_MS);
  const away = outcomes.filter((outcome) => outcome.away);
  const body = {
    taken: outcomes.filter((outcome) => outcome.answer).length,
    refused: outcomes.flatMap(({ refused }, index) => (refused ? [{ index, reason: refused }] : [])),
    waiting: away.length,
  };
  if (away.length === 0) return { status: 202, body };
  console.error(`${away.length} of ${events.length} events wait: ${away[0].away}`);
  return { status: 503, body, afterSeconds: Math.ceil(Math.max(...away.map(({ afterMs }) => afterMs)) / 1000) };
}

/**
 * `toEvents({ headers, body })` answers the events of a delivery, or throws `unacceptable`. On standard input there are no headers.
 * `--listen PORT` serves webhooks on loopback, for a proxy with TLS in front of it. It answers 202 when every event was taken or refused for
 * good, and 503 with Retry-After while some of them wait for the relay: the sender's repetition brings them.
 */
export async function run(toEvents) {
  if (!process.env.INTEGRATION_TOKEN) throw new Error('set INTEGRATION_TOKEN to the token of this integration');
  const at = process.argv.indexOf('--listen');
  if (at === -1) {
    const events = toEvents({ headers: {}, body: await read(process.stdin) });
    for (const event of events) {
      const outcome = await reportUntil(event, Date.now() + 300_000);
      if (outcome.answer) console.log(JSON.stringify(outcome.answer));
      else {
        console.error(outcome.refused ? `refused: ${outcome.refused}` : `the relay is away: ${outcome.away}`);
        process.exitCode = 1;
      }
    }
    return;
  }
  const taken = new Set();
  const server = createServer((request, response) => {
    void answer(toEvents, taken, request)
      .catch((error) => {
        if (!error.status) console.error(error);
        return { status: error.status ?? 500, body: { error: error.status ? error.message : 'a fault of this adapter' } };
      })
      .then(({ status, body, afterSeconds }) => {
        const headers = { 'content-type': 'application/json', ...(afterSeconds ? { 'retry-after': String(afterSeconds) } : {}) };
        response.writeHead(status, headers).end(`${JSON.stringify(body)}\n`);
      });
  });
  server.listen(Number(process.argv[at + 1]), '127.0.0.1', () => console.log(`listens on ${server.address().port}`));
}
