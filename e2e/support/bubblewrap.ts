import { spawnSync } from 'node:child_process';

/** Whether this machine has a bubblewrap that may make sandboxes; the set-up of the tests installs it where it may. */
export const hasBubblewrap =
  process.platform === 'linux' &&
  spawnSync('bwrap', ['--unshare-user', '--unshare-pid', '--ro-bind', '/', '/', '--proc', '/proc', 'true'], { stdio: 'ignore' }).status ===
    0;
