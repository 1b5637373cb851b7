#!/usr/bin/env node
import { machineProviders } from './machine-providers.ts';
import { runCli } from './run-cli.ts';

process.exit(await runCli(process.argv, machineProviders()));
