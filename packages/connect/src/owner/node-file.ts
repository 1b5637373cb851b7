import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { asText, NodeProviderSchema, NodeTermsSchema, RelayError, SandboxRequestSchema, StartSessionSchema } from 'agent-relay-protocol';
import { isMap, isNode, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';

const folder = z
  .string()
  .min(1)
  .max(4096)
  .refine((path) => isAbsolute(path) || path === '~' || path.startsWith('~/'), 'is no absolute path, and does not begin with ~/')
  .transform((path) => (path.startsWith('~') ? join(homedir(), path.slice(1)) : resolve(path)));

const variable = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*\*?$/u, 'is no name of a variable, nor the beginning of one with a * behind it');

const KeptAgentSchema = z.strictObject({
  name: StartSessionSchema.shape.name,
  provider: NodeProviderSchema.shape.id,
  folder: folder.optional(),
  mode: StartSessionSchema.shape.mode,
  approval: StartSessionSchema.shape.approval,
  ask: StartSessionSchema.shape.ask,
  model: StartSessionSchema.shape.model,
  resume: z.boolean().default(true),
});
/** An agent that lives as long as this machine lends itself. */
export type KeptAgent = z.infer<typeof KeptAgentSchema>;

const NodeFileSchema = z.strictObject({
  ...NodeTermsSchema.shape,
  folders: z.array(folder).max(1000).optional(),
  providers: z.array(NodeProviderSchema.shape.id).max(64).optional(),
  sandbox: SandboxRequestSchema.optional(),
  environment: z.array(variable).max(1000).optional(),
  keep: z
    .array(KeptAgentSchema)
    .max(1000)
    .refine((agents) => new Set(agents.map(({ name }) => name)).size === agents.length, 'names an agent twice')
    .optional(),
});

export type NodeFileContent = z.infer<typeof NodeFileSchema>;
export type NodeFileKey = keyof NodeFileContent;

/** What the file says, and where. */
export interface NodeFile {
  readonly content: NodeFileContent;
  /** Nothing is said, not even `{}`: as a file reads that is being written. */
  readonly isBlank: boolean;
  /** "node.yaml line 7 (modes)": where a key is said. */
  where(key: NodeFileKey): string;
}

/** What the owner of this machine wrote. @throws RelayError `validation_failed` naming file, line and key. */
export function parseNodeFile(path: string, text: string): NodeFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [broken] = document.errors;
  if (broken) throw fault(path, lines.linePos(broken.pos[0]).line, broken.message);
  const lineOf = (keys: readonly PropertyKey[]): number => lines.linePos(offsetOf(document.contents, keys)).line;
  const parsed = NodeFileSchema.safeParse(readOut(document, path));
  if (!parsed.success) {
    const { keys, what } = firstFault(parsed.error.issues);
    throw fault(path, lineOf(keys), `${keys.length === 0 ? 'the file' : keys.join('.')}: ${what}`);
  }
  const isBlank = document.contents === null;
  return { content: parsed.data, isBlank, where: (key) => `${path} line ${lineOf([key])} (${key})` };
}

/** Aliases of aliases may come to more than memory holds: what needs no such thing has none. */
function readOut(document: ReturnType<typeof parseDocument>, path: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 0 }) ?? {};
  } catch (cause) {
    throw fault(path, 1, 'aliases (*name) are not read here: write out what they stand for', cause);
  }
}

function firstFault([issue]: readonly z.core.$ZodIssue[]) {
  if (issue?.code === 'unrecognized_keys') return { keys: [...issue.path, ...issue.keys.slice(0, 1)], what: 'there is no such key' };
  return { keys: issue?.path ?? [], what: issue?.message ?? 'is wrong' };
}

/** Where the innermost of these keys stands that is there. */
function offsetOf(contents: unknown, keys: readonly PropertyKey[]): number {
  let offset = 0;
  let inner = contents;
  for (const key of keys) {
    const found = isMap(inner) ? inner.items.find((pair) => isScalar(pair.key) && asText(pair.key.value) === String(key)) : undefined;
    const item: unknown = isSeq(inner) ? inner.items[Number(key)] : found?.key;
    if (!isNode(item) || !item.range) break;
    offset = item.range[0];
    inner = found ? found.value : item;
  }
  return offset;
}

const fault = (path: string, line: number, what: string, cause?: unknown): RelayError =>
  new RelayError('validation_failed', `${path} line ${line}: ${what}`, { cause });
