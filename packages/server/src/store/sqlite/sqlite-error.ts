import { RelayError } from 'agent-relay-protocol';

/** SQLite's own result code, e.g. `SQLITE_FULL`, when `error` came from it. */
export function sqliteCode(error: unknown): string | null {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return null;
  return error.code.startsWith('SQLITE_') ? error.code : null;
}

/** What a failed statement means to a caller; null when it is not the database's condition but a fault of ours. */
export function storeErrorOf(error: unknown): RelayError | null {
  const code = sqliteCode(error);
  if (code === null) return null;
  const say = (text: string) => new RelayError('store_unavailable', text, { cause: error });
  if (code === 'SQLITE_FULL')
    return new RelayError('store_full', 'The disk or the database is full: nothing was written', { cause: error });
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) return say('Another program holds the database locked');
  if (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB') return say('The database file is damaged or is no SQLite database');
  if (code.startsWith('SQLITE_READONLY') || code === 'SQLITE_PERM') return say('The database file cannot be written');
  if (code.startsWith('SQLITE_CANTOPEN')) return say('The database file cannot be opened');
  if (code.startsWith('SQLITE_IOERR')) return say('Reading or writing the database file failed');
  return null;
}
