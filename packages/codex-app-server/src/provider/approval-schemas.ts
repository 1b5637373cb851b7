import { lenient, lenientList } from 'agent-relay-wire';
import { z } from 'zod';

const FileUpdate = z.looseObject({
  path: z.string(),
  kind: z.looseObject({ type: z.string(), move_path: z.string().nullish() }),
  diff: z.string().nullish(),
});
export type FileUpdate = z.infer<typeof FileUpdate>;
const FileUpdates = z.looseObject({ changes: z.array(FileUpdate) });

/** The changes that an item would make, whole: where one of them cannot be read nobody knows what they would allow, so there are none. */
export const readChanges = (item: unknown): readonly FileUpdate[] => FileUpdates.safeParse(item).data?.changes ?? [];

const text = lenient(z.string());
const about = { threadId: z.string(), turnId: text, itemId: text, reason: text };

const Words = z.array(z.string()).min(1);

/** A command or the beginning of one, word by word; null where one of them cannot be read: what is left would be another command. */
export const wordsOf = (words: unknown): readonly string[] | null => Words.safeParse(words).data ?? null;

/** Exported for the test that holds every schema to its rule. */
export const approvalSchemas = {
  command: z.looseObject({
    ...about,
    /** Absent in versions that ask about commands alone. */
    kind: text,
    command: text,
    cwd: text,
    networkApprovalContext: lenient(z.json()),
    /** Its words, see `wordsOf`. */
    proposedExecpolicyAmendment: z.unknown().optional(),
    proposedNetworkPolicyAmendments: lenientList(z.looseObject({ host: z.string(), action: z.enum(['allow', 'deny']) })),
  }),
  /** Whatever stands in `grantRoot` asks for more than one use. */
  fileChange: z.looseObject({ ...about, grantRoot: z.unknown().optional() }),
  permissions: z.looseObject({ ...about, cwd: text, permissions: lenient(z.record(z.string(), z.json())) }),
  elicitation: z.looseObject({
    ...about,
    serverName: z.string().catch('a server'),
    message: text,
    title: text,
    mode: text,
    url: text,
    requestedSchema: z.unknown().optional(),
    _meta: lenient(
      z.looseObject({
        codex_approval_kind: text,
        tool_name: text,
        tool_params: lenient(z.json()),
        persist: lenientList(z.string()),
      }),
    ),
  }),
  userInput: z.looseObject({
    ...about,
    questions: lenientList(
      z.looseObject({
        id: z.string(),
        header: text,
        question: z.string().catch(''),
        isOther: lenient(z.boolean()),
        isSecret: lenient(z.boolean()),
        options: lenientList(z.looseObject({ label: z.string(), description: text })),
      }),
    ),
  }),
  olderCommand: z.looseObject({ conversationId: z.string(), callId: text, command: z.unknown().optional(), cwd: text, reason: text }),
  olderPatch: z.looseObject({
    conversationId: z.string(),
    callId: text,
    fileChanges: z.record(z.string(), z.looseObject({ type: z.string(), move_path: z.string().nullish() })),
    grantRoot: z.unknown().optional(),
    reason: text,
  }),
} as const;
