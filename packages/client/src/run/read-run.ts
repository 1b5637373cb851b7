import { loosely, RelayError, RUN_RECORD_VERSION, type RunRecord, RunRecordSchema, readLoosely } from 'agent-relay-protocol';

const RecordSchema = loosely(RunRecordSchema);
const VERSION_FIRST = 'A recorded run begins with a line that says its version: {"type":"run","version":1,…}';

/**
 * The lines of a recorded run, as `agent-relay record` writes them: one JSON object each, empty ones passed over.
 * @throws RelayError `validation_failed` naming the line that is none, `unsupported` for a run of a later version.
 */
export function readRun(text: string): RunRecord[] {
  const records: RunRecord[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const record = readLoosely(RecordSchema, parsed(line, index + 1));
    if (record === undefined || (records.length === 0) !== (record.type === 'run')) {
      throw wrongLine(index + 1, records.length === 0 ? VERSION_FIRST : 'It is no line of a recorded run');
    }
    if (record.type === 'run' && record.version > RUN_RECORD_VERSION) {
      throw new RelayError('unsupported', `This run is of version ${record.version}, and this program reads ${RUN_RECORD_VERSION}`);
    }
    records.push(record);
  }
  if (records.length === 0) throw wrongLine(1, VERSION_FIRST);
  return records;
}

function parsed(line: string, number: number): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw wrongLine(number, 'It is no JSON');
  }
}

function wrongLine(number: number, message: string): RelayError {
  const path = `line ${number}`;
  return new RelayError('validation_failed', `${path}: ${message}`, { issues: [{ path, message }] });
}
