#!/usr/bin/env node
import { runCli } from './provider/run-cli.ts';

process.exit(await runCli(process.argv));
