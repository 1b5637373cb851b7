import { type FieldIssue, messageOf, RelayError } from 'agent-relay-protocol';
import { type Document, isMap, isNode, isPair, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';

/** More than that nobody writes by hand. */
const MAX_LENGTH = 1 << 20;

/**
 * What a YAML file that people write says.
 * @throws RelayError `validation_failed`; each fault names its line and its key, as `agent-relay.yaml:7: hooks.codex.on_turn: …`.
 */
export function readYaml<Output>(text: string, file: string, schema: z.ZodType<Output>): Output {
  if (text.length > MAX_LENGTH) throw faults([{ path: '', message: 'is longer than a million characters', line: 1 }], file);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: false, stringKeys: true });
  if (document.errors.length > 0)
    throw faults(
      document.errors.map(({ message, pos: [start] }) => ({ path: '', message, line: lines.linePos(start).line })),
      file,
    );
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw faults([{ path: '', message: messageOf(error), line: 1 }], file);
  }
  const parsed = schema.safeParse(value ?? {});
  if (parsed.success) return parsed.data;
  throw faults(
    parsed.error.issues.flatMap((issue) => {
      const paths = issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...issue.path, key]) : [issue.path];
      const message = issue.code === 'unrecognized_keys' ? 'is no word of this file' : issue.message;
      return paths.map((path) => ({ path: spelled(path), message, line: lineOf(document, lines, path) }));
    }),
    file,
  );
}

interface Fault extends FieldIssue {
  readonly line: number;
}

function faults(found: readonly Fault[], file: string): RelayError {
  const sentences = found.map(({ path, message, line }) => `${file}:${line}: ${path === '' ? '' : `${path}: `}${message}`);
  const issues = found.map(({ path, message, line }) => ({ path: path === '' ? file : path, message: `${message} (line ${line})` }));
  return new RelayError('validation_failed', sentences.slice(0, 20).join('; '), { issues });
}

const spelled = (path: readonly PropertyKey[]): string =>
  path.map((part, index) => (typeof part === 'number' ? `[${part}]` : `${index === 0 ? '' : '.'}${String(part)}`)).join('');

/** Where a value stands, or the nearest thing around it; of a pair, its key. */
function lineOf(document: Document.Parsed, lines: LineCounter, path: readonly PropertyKey[]): number {
  for (let length = path.length; length > 0; length -= 1) {
    const parent = length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true);
    const key = path[length - 1];
    const pair = isMap(parent)
      ? parent.items.find((item) => isPair(item) && isNode(item.key) && String(item.key) === String(key))
      : undefined;
    const node = pair?.key ?? document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
  }
  return 1;
}
