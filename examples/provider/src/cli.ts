#!/usr/bin/env node
// `relay-connect` with one more kind of agent: lends this machine to a relay, which may then start parrots on it.
import { runCli } from 'agent-relay-connect';
import { ParrotProvider } from './provider/parrot-provider.ts';

process.exit(await runCli(process.argv, [new ParrotProvider()]));
