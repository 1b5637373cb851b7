#!/usr/bin/env node
// Codex runs a hook before and after each command: it loads no more than it needs.
const run = process.argv[2] === 'hook' ? (await import('./hook/hook-program.ts')).runHookProgram : (await import('./run-cli.ts')).runCli;

process.exit(await run(process.argv));

export {};
