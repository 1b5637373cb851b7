import { delimiter, dirname } from 'node:path';
import type { RelayClient } from 'agent-relay-client';
import { createNodeRelayClient } from 'agent-relay-client/node';
import { startTestRelay, type TestRelay } from 'agent-relay-server/testing';
import { agentCliPaths, type FakeOpenAi, startFakeOpenAi, type TempHome, tempHome, wordScript } from 'agent-relay-testing';

/** A relay, its owner, and a home whose real Codex talks to a model that does what it is told in words. */
export interface Bench extends AsyncDisposable {
  readonly command: string;
  readonly home: TempHome;
  readonly model: FakeOpenAi;
  readonly relay: TestRelay;
  readonly owner: RelayClient;
  readonly env: Record<string, string>;
  readonly told: string[];
}

export async function startBench(): Promise<Bench> {
  const { codex: command } = agentCliPaths();
  const home = await tempHome();
  const model = await startFakeOpenAi({ model: wordScript() });
  await model.writeCodexHome(home.codexHome);
  const relay = await startTestRelay();
  const owner = createNodeRelayClient({ url: relay.url, token: relay.ownerToken });
  const env = {
    ...home.env(),
    ...model.env(),
    PATH: [dirname(command), process.env['PATH']].join(delimiter),
    AGENT_RELAY_URL: relay.url,
    AGENT_RELAY_TOKEN: relay.ownerToken,
  };
  return {
    command,
    home,
    model,
    relay,
    owner,
    env,
    told: [],
    [Symbol.asyncDispose]: async () => {
      await owner.close();
      await relay.close();
      await model.close();
      await home.remove();
    },
  };
}

export async function until<Value>(
  what: string,
  ask: () => Promise<Value | undefined | false> | Value | undefined | false,
): Promise<Value> {
  const end = Date.now() + 60_000;
  for (;;) {
    const value = await ask();
    if (value !== undefined && value !== false) return value;
    if (Date.now() > end) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Everything that the model was sent, as one text. */
export const sentTo = (model: FakeOpenAi): string =>
  model.requests.map(({ model: request }) => (request === undefined ? '' : JSON.stringify(request.conversation))).join('\n');
