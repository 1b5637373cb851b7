import { RelayError } from 'agent-relay-client';
import type { SaidMessage } from './talk.ts';

/** Of what `agent-relay record` writes. The client's own reader would come with the first page. */
const READS_VERSION = 1;

/** What was said in a recorded run, in its order. @throws RelayError `validation_failed` naming the line that is wrong, `unsupported`. */
export function readSaid(text: string): SaidMessage[] {
  const lines = text.split('\n').map(parsed);
  const [first] = lines;
  if (first?.['type'] !== 'run') throw wrongLine(1, 'This is no recorded run');
  if (first['version'] !== READS_VERSION) throw new RelayError('unsupported', 'This run is of a version that this page does not read');
  return lines.flatMap((line, index) => {
    if (line?.['type'] !== 'message') return [];
    const { from, to, createdAt } = Object(line['message']);
    if (typeof from === 'string' && typeof to === 'string' && isTime(createdAt)) return [{ from, to, createdAt }];
    throw wrongLine(index + 1, 'It is no message of a run');
  });
}

/** One that a date can tell. */
const isTime = (value: unknown): boolean => typeof value === 'number' && value >= 0 && !Number.isNaN(new Date(value).valueOf());

function parsed(line: string, index: number): Readonly<Record<string, unknown>> | null {
  if (line.trim() === '') return null;
  try {
    return Object(JSON.parse(line));
  } catch {
    throw wrongLine(index + 1, 'It is no JSON');
  }
}

const wrongLine = (number: number, message: string): RelayError => new RelayError('validation_failed', `line ${number}: ${message}`);
