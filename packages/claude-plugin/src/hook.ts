import { text } from 'node:stream/consumers';
import { runHook } from './hook/run-hook.ts';

const {
  stdout = '',
  stderr = '',
  exitCode = 0,
} = await runHook({
  argv: process.argv.slice(2),
  text: await text(process.stdin),
  env: process.env,
  parentPid: process.ppid,
});
process.stdout.write(stdout);
process.stderr.write(stderr);
process.exitCode = exitCode;
