/** For a machine without a token: it asks to be let in by a code, waits, and is lent. */
export const pairLine = (url: string): string => `npx agent-relay-connect pair --url ${url} && npx agent-relay-connect`;

interface FirstCommands {
  readonly connect: string;
  readonly claude: string;
  readonly codex: string;
  readonly curl: string;
}

/** What to type in a terminal to begin with, for a relay at this address; with a token where one is needed. */
export function commandsFor(url: string, token: string | null): FirstCommands {
  const env = token === null ? '' : `AGENT_RELAY_TOKEN=${token} `;
  // The owner's token speaks for the owner; without one somebody has to be named.
  const from = token === null ? '"from":"you",' : '';
  const bearer = token === null ? '' : ` -H 'authorization: Bearer ${token}'`;
  return {
    connect: token === null ? pairLine(url) : `${env}npx agent-relay-connect --url ${url}`,
    claude: `${env}npx agent-relay-server spawn claude --name Lead --url ${url}`,
    codex: `${env}npx agent-relay-server spawn codex --name Worker --url ${url}`,
    curl: `curl -X POST ${url}/api/messages${bearer} -H 'content-type: application/json' -d '{${from}"to":"broadcast","body":"Hello"}'`,
  };
}
