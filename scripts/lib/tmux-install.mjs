// tmux for the tests of what a person has in a terminal.
import { provide } from './debian-install.mjs';
import { run } from './run.mjs';

export const provideTmux = () =>
  provide({
    name: 'tmux',
    packages: ['tmux'],
    isThere: async () => (await run('tmux', ['-V'])).code === 0,
    tests: 'the tests in a terminal',
  });
