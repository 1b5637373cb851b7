import { resolve } from 'node:path';
import { Command } from 'commander';
import { databasePathOf } from '../paths.ts';
import { ownRelay } from './relay-access.ts';
import type { Terminal } from './terminal.ts';

export const restoreCommand = (terminal: Terminal): Command =>
  new Command('restore')
    .description('Put a backup in the place of the database, which is kept aside; only while no relay runs')
    .argument('<file>', 'a file that backup wrote')
    .option('--db <path>', 'database to replace (DB_PATH)')
    .action(async (file: string, { db }: { readonly db?: string }) => {
      const databasePath = databasePathOf({ ...ownRelay(terminal.env), ...(db === undefined ? {} : { DB_PATH: db }) });
      const { restoreDatabase } = await import('../operations/restore.ts');
      const { previous, head } = await restoreDatabase({ databasePath, file: resolve(terminal.cwd, file), now: new Date() });
      terminal.out(`${databasePath}: restored, the log up to ${head}`);
      if (previous !== null) terminal.out(`What was there: ${previous}`);
      terminal.out('Readers that held a cursor are told to begin anew.');
    });
