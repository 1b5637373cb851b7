#!/usr/bin/env node
import { createInterface } from 'node:readline/promises';
import { runCli } from './cli/run-cli.ts';

const stop = new AbortController();
const onSignal = () => {
  // Whoever asks twice does not want to wait for a clean end.
  if (stop.signal.aborted) process.exit(130);
  stop.abort();
};
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, onSignal);
// A reader such as `head` that has seen enough closes our output: that is no fault, and what still runs ends as it would on Ctrl-C.
process.stdout.on('error', () => stop.abort());
process.stderr.on('error', () => {});

async function ask(question: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await lines.question(question, { signal: stop.signal });
  } finally {
    lines.close();
  }
}

process.exitCode = await runCli(process.argv.slice(2), {
  env: process.env,
  cwd: process.cwd(),
  signal: stop.signal,
  out: (line) => void process.stdout.write(`${line}\n`),
  note: (line) => void process.stderr.write(`${line}\n`),
  ask: process.stdin.isTTY && process.stderr.isTTY ? ask : null,
});
