import { type FieldIssue, messageOf, plainIssue, RelayError } from 'agent-relay-protocol';
import { type Document, isMap, isNode, isPair, isSeq, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';

/** More than that nobody writes by hand. */
const MAX_LENGTH = 1 << 20;
/** Whoever mends a file reads no more of them: each is looked up in it. */
const MOST_FAULTS = 20;

/** What is wrong where; `path` is empty for the whole file. */
export interface YamlFault {
  /** It is no YAML, or none that is read here: no key is at fault. */
  readonly isOfSyntax: boolean;
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly line: number;
}

/** A YAML file that was read, right or wrong. */
export type YamlRead<Output> =
  | {
      readonly output: Output;
      /** Nothing is said, not even `{}`. */
      readonly isBlank: boolean;
      /** The line, from 1, at which a key is said, or the nearest thing around it. */
      readonly lineOf: (path: readonly PropertyKey[]) => number;
    }
  | { readonly faults: readonly [YamlFault, ...YamlFault[]] };

export interface YamlOptions {
  /** How often an anchor may be used; default 100. Aliases of aliases may come to more than memory holds. */
  readonly maxAliases?: number;
}

/** Reads a YAML file that people write; every fault is told with its line and key, in words for people. */
export function tryYaml<Output>(text: string, schema: z.ZodType<Output>, { maxAliases = 100 }: YamlOptions = {}): YamlRead<Output> {
  if (text.length > MAX_LENGTH) return wrong([{ isOfSyntax: false, path: [], message: 'is longer than a million characters', line: 1 }]);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: false, stringKeys: true });
  const errors = document.errors.slice(0, MOST_FAULTS);
  if (errors.length > 0) return wrong(errors.map(({ message, pos: [start] }) => ofSyntax(message, lines.linePos(start).line)));
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: maxAliases });
  } catch (error) {
    const refused = 'aliases (*name) are not read here: write out what they stand for';
    return wrong([ofSyntax(maxAliases === 0 ? refused : messageOf(error), 1)]);
  }
  const lineOf = (path: readonly PropertyKey[]) => lineIn(document, lines, path);
  const parsed = schema.safeParse(value ?? {}, { error: plainIssue });
  if (parsed.success) return { output: parsed.data, isBlank: document.contents === null, lineOf };
  return wrong(
    parsed.error.issues
      .slice(0, MOST_FAULTS)
      .flatMap((issue) => {
        const paths = issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...issue.path, key]) : [issue.path];
        const message = issue.code === 'unrecognized_keys' ? 'there is no such key' : issue.message;
        return paths.slice(0, MOST_FAULTS).map((path) => ({ path, message }));
      })
      .slice(0, MOST_FAULTS)
      .map((fault) => ({ ...fault, isOfSyntax: false, line: lineOf(fault.path) })),
  );
}

const ofSyntax = (message: string, line: number): YamlFault => ({ isOfSyntax: true, path: [], message, line });

const wrong = ([first = ofSyntax('cannot be read', 1), ...others]: readonly YamlFault[]) => ({
  faults: [first, ...others] as const,
});

/**
 * What a YAML file that people write says.
 * @throws RelayError `validation_failed`; each fault names its line and its key, as `agent-relay.yaml:7: hooks.codex.on_turn: …`.
 */
export function readYaml<Output>(text: string, file: string, schema: z.ZodType<Output>): Output {
  const read = tryYaml(text, schema);
  if ('output' in read) return read.output;
  const found = read.faults.map(({ path, ...fault }) => ({ path: spelled(path), ...fault }));
  const sentences = found.map(({ path, message, line }) => `${file}:${line}: ${path === '' ? '' : `${path}: `}${message}`);
  const issues = found.map(
    ({ path, message, line }): FieldIssue => ({ path: path === '' ? file : path, message: `${message} (line ${line})` }),
  );
  throw new RelayError('validation_failed', sentences.join('; '), { issues });
}

const spelled = (path: readonly PropertyKey[]): string =>
  path.map((part, index) => (typeof part === 'number' ? `[${part}]` : `${index === 0 ? '' : '.'}${String(part)}`)).join('');

/** Where a value stands, or the nearest thing around it; of a pair, its key. */
function lineIn(document: Document.Parsed, lines: LineCounter, path: readonly PropertyKey[]): number {
  for (let length = path.length; length > 0; length -= 1) {
    const parent = length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true);
    const key = path[length - 1];
    const pair = isMap(parent)
      ? parent.items.find((item) => isPair(item) && isNode(item.key) && String(item.key) === String(key))
      : undefined;
    const node = pair?.key ?? (isSeq(parent) || isMap(parent) ? document.getIn(path.slice(0, length), true) : undefined);
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
  }
  return 1;
}
