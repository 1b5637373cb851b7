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
// To open a stream takes time, and every tool of the session waits for its hook.
if (stdout !== '') process.stdout.write(stdout);
if (stderr !== '') process.stderr.write(stderr);
process.exitCode = exitCode;
