import { runCli } from 'agent-relay-connect';
import { ClerkProvider } from './clerk-provider.ts';

/** A node to be killed: `node node-program.ts LEDGER` and the options of relay-connect. */
const [node = '', program = '', ledger = '', ...options] = process.argv;
process.exit(await runCli([node, program, ...options], [new ClerkProvider(ledger)]));
