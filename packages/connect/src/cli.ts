#!/usr/bin/env node
import { acpProviders } from 'agent-relay-acp';
import { ClaudeProvider } from 'agent-relay-claude';
import { CodexExecProvider, CodexProvider } from 'agent-relay-codex-app-server';
import { lineProviders } from 'agent-relay-lines';
import { runCli } from './run-cli.ts';

process.exit(
  await runCli(process.argv, [new ClaudeProvider(), new CodexProvider(), new CodexExecProvider(), ...acpProviders(), ...lineProviders()]),
);
