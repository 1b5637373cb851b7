#!/usr/bin/env node
import { machineProviders } from './machine-providers.ts';
import { runCli } from './run-cli.ts';

// A terminal that was closed, or a reader that has seen enough, ends nobody's agents.
for (const output of [process.stdout, process.stderr]) output.on('error', () => {});

process.exit(await runCli(process.argv, machineProviders()));
