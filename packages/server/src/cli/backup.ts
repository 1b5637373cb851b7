import { resolve } from 'node:path';
import { Command } from 'commander';
import { ownDatabasePath } from './relay-access.ts';
import type { Terminal } from './terminal.ts';

interface BackupOptions {
  readonly db?: string;
  readonly force?: boolean;
}

export const backupCommand = (terminal: Terminal): Command =>
  new Command('backup')
    .description('Copy the database into one file, as it is at one moment; the relay may go on meanwhile')
    .argument('<file>', 'where the copy goes')
    .option('--db <path>', 'database to copy (DB_PATH)')
    .option('--force', 'write over a file that is there')
    .action(async (file: string, { db, force = false }: BackupOptions) => {
      const databasePath = ownDatabasePath({ db }, terminal.env);
      // Only here: the other commands must not load the database.
      const { backupDatabase } = await import('../operations/backup.ts');
      const { path, sizeBytes, head } = await backupDatabase({ databasePath, file: resolve(terminal.cwd, file), force });
      terminal.out(`${path}: ${(sizeBytes / 1024 / 1024).toFixed(1)} MiB, the log up to ${head}, whole`);
      terminal.note("It holds every message: keep it as you keep the database. The owner's credential is not in it.");
    });
