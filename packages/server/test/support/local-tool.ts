// A program of somebody's own, as packages/client/README.md shows one: it finds the relay of this machine and speaks as its owner.
import { createNodeRelayClient, findRelay } from 'agent-relay-client/node';

await using relay = createNodeRelayClient(await findRelay({ env: process.env }));
const { type } = await relay.system.me();
await relay.messages.send({ to: 'id:worker', body: 'The build is green' });
process.stdout.write(`sent as the ${type}\n`);
