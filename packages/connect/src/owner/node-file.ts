import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { NodeProviderSchema, NodeTermsSchema, RelayError, SandboxRequestSchema, StartSessionSchema } from 'agent-relay-protocol';
import { tryYaml } from 'agent-relay-wire/node';
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
  answers: z.enum(['none', 'once', 'session', 'always']).optional(),
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
  const read = tryYaml(text, NodeFileSchema, { maxAliases: 0 });
  if ('output' in read) {
    const { output: content, isBlank, lineOf } = read;
    return { content, isBlank, where: (key) => `${path} line ${lineOf([key])} (${key})` };
  }
  const [{ line, path: keys, message, isOfSyntax }] = read.faults;
  const what = isOfSyntax ? message : `${keys.length === 0 ? 'the file' : keys.join('.')}: ${message}`;
  throw new RelayError('validation_failed', `${path} line ${line}: ${what}`);
}
