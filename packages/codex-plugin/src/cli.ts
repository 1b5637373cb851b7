#!/usr/bin/env node
// Codex runs a hook before and after each command: it loads no more than it needs.
const { main } = process.argv[2] === 'hook' ? await import('./hook/hook-program.ts') : await import('./run-cli.ts');

process.exit(await main(process.argv));

export {};
