// Shared by the webhook examples: reads a delivery on standard input, or listens for deliveries, and reports what `toEvents` makes of them.
import { createServer } from 'node:http';

const MAX_BYTES = 1024 * 1024;

/** Reports one event. Waits and tries again when the relay says that there are too many, or is not there. */
async function report(event) {
  const url = `${process.env.AGENT_RELAY_URL ?? 'http://127.0.0.1:4850'}/api/integrations/events`;
  for (let attempt = 1; ; attempt += 1) {
    const response = await fetch(url, {
      method: 'POST',
      headers: { authorization: `Bearer ${process.env.INTEGRATION_TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify(event),
      signal: AbortSignal.timeout(10_000),
    });
    const answer = await response.json();
    if (response.ok) return answer;
    const mayRetry = response.status === 429 || response.status >= 500;
    if (!mayRetry || attempt === 5) throw new Error(`the relay answered ${response.status}: ${answer.error?.message}`);
    const seconds = Number(response.headers.get('retry-after') ?? attempt);
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  }
}

async function read(stream) {
  const chunks = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
    if (size > MAX_BYTES) throw new Error('the delivery is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/**
 * `toEvents({ headers, body })` answers the events of a delivery, or throws. On standard input there are no headers.
 * `--listen PORT` serves webhooks on loopback, for a proxy with TLS in front of it.
 */
export async function run(toEvents) {
  if (!process.env.INTEGRATION_TOKEN) throw new Error('set INTEGRATION_TOKEN to the token of this integration');
  const at = process.argv.indexOf('--listen');
  if (at === -1) {
    const body = await read(process.stdin);
    for (const event of toEvents({ headers: {}, body })) console.log(JSON.stringify(await report(event)));
    return;
  }
  const server = createServer(async (request, response) => {
    try {
      const events = toEvents({ headers: request.headers, body: await read(request) });
      for (const event of events) await report(event);
      response.writeHead(202).end();
    } catch (error) {
      console.error(error.message);
      response.writeHead(error.status ?? 502).end();
    }
  });
  server.listen(Number(process.argv[at + 1]), '127.0.0.1', () => console.log(`listens on ${server.address().port}`));
}
