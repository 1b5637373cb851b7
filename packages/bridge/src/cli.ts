#!/usr/bin/env node
import { runCli } from './run-cli.ts';

// A terminal that was closed, or a reader that has seen enough, ends nobody's agents.
for (const output of [process.stdout, process.stderr]) output.on('error', () => {});

process.exit(await runCli(process.argv));
