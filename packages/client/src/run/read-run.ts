import {
  type Approval,
  type Claim,
  loosely,
  type Pair,
  RelayError,
  RUN_RECORD_VERSION,
  type RunRecord,
  RunRecordSchema,
  readLoosely,
} from 'agent-relay-protocol';

const VERSION_FIRST = 'A recorded run begins with a line that says its version: {"type":"run","version":1,…}';

/**
 * The lines of a recorded run, as `agent-relay record` writes them: one JSON object each, empty ones passed over.
 * @throws RelayError `validation_failed` naming the line that is none, `unsupported` for a run of a later version.
 */
export function readRun(text: string): RunRecord[] {
  const schema = loosely(RunRecordSchema);
  const records: RunRecord[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const record = readLoosely(schema, parsed(line, index + 1));
    if (record === undefined || !isKnown(record) || (records.length === 0) !== (record.type === 'run')) {
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

const lineTypes: Readonly<Record<RunRecord['type'], true>> = {
  ...{ run: true, message: true, task: true, claim: true, approval: true, receipt: true, activity: true },
  ...{ pair: true, reservation: true, rule: true },
};
const claimStatuses: Readonly<Record<Claim['status'], true>> = {
  held: true,
  completed: true,
  released: true,
  expired: true,
  cancelled: true,
};
const approvalStatuses: Readonly<Record<Approval['status'], true>> = { pending: true, allowed: true, denied: true, cancelled: true };
const pairStatuses: Readonly<Record<Pair['status'], true>> = { pending: true, active: true, rejected: true, ended: true };

/** What is told apart by a word passes whole where that is of another version: nothing is known of what it says. */
function isKnown(record: RunRecord): boolean {
  if (record.type === 'claim') return Object.hasOwn(claimStatuses, record.claim.status);
  if (record.type === 'approval') return Object.hasOwn(approvalStatuses, record.approval.status);
  if (record.type === 'pair') return Object.hasOwn(pairStatuses, record.pair.status);
  return Object.hasOwn(lineTypes, record.type);
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
