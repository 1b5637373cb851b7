#!/usr/bin/env node
import { runCodexRelay } from './run-codex-relay.ts';

process.exit(await runCodexRelay(process.argv));
