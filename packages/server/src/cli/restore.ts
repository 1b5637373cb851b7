import { resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import type { RestoreResult } from '../operations/restore.ts';
import { ownDatabasePath } from './relay-access.ts';
import type { Terminal } from './terminal.ts';

interface RestoreOptions {
  readonly db?: string;
  readonly continueAbove?: number | undefined;
}

export const restoreCommand = (terminal: Terminal): Command =>
  new Command('restore')
    .description('Put a backup in the place of the database, which is kept aside; only while no relay runs')
    .argument('<file>', 'a file that backup wrote')
    .option('--db <path>', 'database to replace (DB_PATH)')
    .option(
      '--continue-above <number>',
      'the highest number the relay has given out (default: as the database that is replaced says; without one, a million above the backup)',
      messageNumber,
    )
    .action(async (file: string, { db, continueAbove }: RestoreOptions) => {
      const databasePath = ownDatabasePath({ db }, terminal.env);
      const { restoreDatabase } = await import('../operations/restore.ts');
      const options = { databasePath, file: resolve(terminal.cwd, file), continueAbove, now: new Date() };
      const { previous, head, next, basis } = await restoreDatabase(options);
      terminal.out(`${databasePath}: restored, the log up to ${head}`);
      if (previous !== null) terminal.out(`What was there: ${previous}`);
      terminal.out(`It goes on with number ${next}${reasons[basis]}.`);
      terminal.out('Readers that held a cursor are told to begin anew. A token that was revoked after the backup is good again.');
    });

const reasons: Readonly<Record<RestoreResult['basis'], string>> = {
  replaced: ', above all that the database before it has given out',
  asked: '',
  unknown: ', because nothing here says how many were given out after the backup; --continue-above says it',
};

function messageNumber(text: string): number {
  if (!/^[1-9]\d{0,14}$/u.test(text)) throw new InvalidArgumentError('must be a number such as 4711.');
  return Number(text);
}
