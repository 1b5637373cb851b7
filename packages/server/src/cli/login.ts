import type { Command } from 'commander';
import { browserUrl } from '../browser-url.ts';
import { type RelayOptions, relayCommand, withRelay } from './relay-access.ts';
import type { Terminal } from './terminal.ts';

export const loginCommand = (terminal: Terminal): Command =>
  relayCommand('login')
    .description('Print a link that opens the dashboard as the owner; it works once, for ten minutes')
    .action(async (options: RelayOptions) => {
      await withRelay(options, terminal, async (client, url) => {
        const { code, browserHost } = await client.login.create({}, { signal: terminal.signal });
        terminal.out(`${browserUrl(url, browserHost)}/login#${code}`);
      });
    });
