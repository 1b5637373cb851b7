#!/usr/bin/env node
import * as nodeModule from 'node:module';
import { createInterface } from 'node:readline/promises';
import { compileCacheFolder } from './paths.ts';

// Most of a short command's time goes into compiling our own code: from Node 22.8 on it is kept. In the user's own folder, for whoever can write
// there decides what runs.
if ('enableCompileCache' in nodeModule) nodeModule.enableCompileCache(compileCacheFolder(process.env));
const { runCli } = await import('./cli/run-cli.ts');

const stop = new AbortController();
const onSignal = () => {
  // Whoever asks twice does not want to wait for a clean end.
  if (stop.signal.aborted) process.exit(130);
  stop.abort();
};
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, onSignal);
// A reader such as `head` that has seen enough closes our output: that is no fault, and what still runs ends as it would on Ctrl-C.
let isOutputLost = false;
process.stdout.on('error', ({ code, message }: NodeJS.ErrnoException) => {
  if (code !== 'EPIPE' && !isOutputLost) {
    isOutputLost = true;
    process.exitCode = 1;
    process.stderr.write(`error: the output could not be written: ${message}\n`);
  }
  stop.abort();
});
process.stderr.on('error', () => {});

async function ask(question: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await lines.question(question, { signal: stop.signal });
  } finally {
    lines.close();
  }
}

const exitCode = await runCli(process.argv.slice(2), {
  env: process.env,
  cwd: process.cwd(),
  signal: stop.signal,
  out: (line) => void process.stdout.write(`${line}\n`),
  note: (line) => void process.stderr.write(`${line}\n`),
  hasReader: process.stderr.isTTY === true,
  ask: process.stdin.isTTY && process.stderr.isTTY ? ask : null,
});
process.exitCode = isOutputLost ? 1 : exitCode;
