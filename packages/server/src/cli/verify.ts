import type { Command } from 'commander';
import { type RelayOptions, relayCommand, withRelay } from './relay-access.ts';
import { parseMessageId } from './send.ts';
import { printable, type Terminal } from './terminal.ts';

interface VerifyOptions extends RelayOptions {
  readonly json?: true;
}

export const verifyCommand = (terminal: Terminal): Command =>
  relayCommand('verify')
    .description('Ask the relay who really sent a message, and what proves it')
    .argument('<message>', 'its number', parseMessageId)
    .option('--json', 'everything the relay knows, as one JSON object')
    .action(async (id: number, { json, ...options }: VerifyOptions) => {
      await withRelay(options, terminal, async (client) => {
        const verification = await client.messages.verify({ id }, { signal: terminal.signal });
        terminal.out(json ? JSON.stringify(verification) : printable(verification.verdict));
      });
    });
