#!/usr/bin/env node
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

process.exitCode = await runCli(process.argv.slice(2), {
  env: process.env,
  cwd: process.cwd(),
  signal: stop.signal,
  out: (line) => void process.stdout.write(`${line}\n`),
  note: (line) => void process.stderr.write(`${line}\n`),
});
