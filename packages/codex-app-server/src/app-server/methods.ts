import { lenient, lenientList, recordOf } from 'agent-relay-wire';
import { z } from 'zod';
import { ThreadItemSchema } from './items.ts';
import { ThreadStatusSchema, TurnSchema } from './notifications.ts';

/** `granular`: what is false is refused as under `never`. */
export type ApprovalPolicy =
  | 'untrusted'
  | 'on-request'
  | 'never'
  | {
      readonly granular: {
        readonly sandbox_approval: boolean;
        readonly rules: boolean;
        readonly skill_approval: boolean;
        readonly request_permissions: boolean;
        readonly mcp_elicitations: boolean;
      };
    };
export type SandboxMode = 'read-only' | 'workspace-write' | 'danger-full-access';

export type SandboxPolicy =
  | { readonly type: 'dangerFullAccess' }
  | { readonly type: 'readOnly'; readonly networkAccess: boolean }
  | {
      readonly type: 'workspaceWrite';
      readonly writableRoots: readonly string[];
      readonly networkAccess: boolean;
      readonly excludeTmpdirEnvVar: boolean;
      readonly excludeSlashTmp: boolean;
    };

/** JSON that goes into `config`: what `config.toml` may hold, for one thread. */
export type ConfigValue = string | number | boolean | readonly ConfigValue[] | { readonly [key: string]: ConfigValue };
export type ThreadConfig = { readonly [key: string]: ConfigValue };

/** Codex forgets `config` when a thread is unloaded: the client sends it again with every resume. */
export interface StartThreadParams {
  readonly cwd: string;
  readonly model?: string;
  readonly approvalPolicy?: ApprovalPolicy;
  readonly sandbox?: SandboxMode;
  readonly developerInstructions?: string;
  readonly config?: ThreadConfig;
  readonly threadSource?: string;
  /** Tools that Codex asks its client to run, as `item/tool/call`; kept with the thread. Experimental. */
  readonly dynamicTools?: readonly DynamicToolNamespace[];
}

export type ResumeThreadParams = Partial<Omit<StartThreadParams, 'threadSource' | 'dynamicTools'>>;

export interface DynamicToolNamespace {
  readonly type: 'namespace';
  readonly name: string;
  readonly description: string;
  readonly tools: readonly {
    readonly type: 'function';
    readonly name: string;
    readonly description: string;
    /** JSON Schema. */
    readonly inputSchema: object;
  }[];
}

export interface StartTurnParams {
  readonly text: string;
  /** Addresses of pictures that go ahead of the text: `data:image/png;base64,…`. */
  readonly imageUrls?: readonly string[];
  /** Comes back as `clientId` of the `userMessage` item; the client looks for it before it sends anything twice. */
  readonly clientUserMessageId: string;
  /** These two hold for this turn and, unless named again, for those after it. */
  readonly approvalPolicy?: ApprovalPolicy;
  readonly sandboxPolicy?: SandboxPolicy;
  /** Gives the sending up, also between its tries; what Codex has taken stays taken. */
  readonly signal?: AbortSignal;
}

export const InitializeResult = z.looseObject({ userAgent: z.string().catch('') });
export const LoadedThreadsPage = z.looseObject({ data: lenientList(z.string()), nextCursor: lenient(z.string()) });
export const ThreadResult = z.looseObject({
  thread: z.looseObject({ id: z.string(), status: lenient(ThreadStatusSchema) }),
  model: lenient(z.string()),
  cwd: lenient(z.string()),
});
/** `path`: the file that the conversation is stored in, on the server's machine. */
export const StoredThread = z.looseObject({ thread: z.looseObject({ path: lenient(z.string()) }) });
export const StartTurnResult = z.looseObject({ turn: z.looseObject({ id: z.string() }) });
export const SteerTurnResult = z.looseObject({ turnId: z.string() });
const page = { nextCursor: lenient(z.string()) };
export const ItemsPage = z.looseObject({ ...page, data: lenientList(z.looseObject({ turnId: z.string(), item: ThreadItemSchema })) });
export type ItemEntry = z.infer<typeof ItemsPage>['data'][number];
export const TurnsPage = z.looseObject({ ...page, data: lenientList(TurnSchema) });
export const QueuePage = z.looseObject({
  ...page,
  data: lenientList(z.looseObject({ id: z.string(), clientUserMessageId: lenient(z.string()) })),
});
/** Nothing is deleted that Codex has taken. */
export const DequeueResult = z.looseObject({ deleted: z.boolean().catch(true) });
export const ModelsPage = z.looseObject({
  data: lenientList(
    z.looseObject({ id: z.string(), model: z.string(), displayName: z.string().catch(''), isDefault: z.boolean().catch(false) }),
  ),
});
export type CodexModel = z.infer<typeof ModelsPage>['data'][number];
/** Decides what a safe session must switch off: one that cannot be read is refused. */
export const ConfigResult = z.looseObject({ config: z.looseObject({ mcp_servers: z.record(z.string(), z.unknown()).nullish() }) });
const configFile = z.looseObject({ dotCodexFolder: lenient(z.string()), file: lenient(z.string()) });
/** Whether hooks run, and which file says so. */
export const HooksConfigResult = z.looseObject({
  config: lenient(z.looseObject({ features: lenient(z.looseObject({ hooks: lenient(z.boolean()) })) })),
  /** By dotted key. */
  origins: recordOf(z.looseObject({ name: lenient(configFile) })),
});

/** Text as a turn takes it. `text_elements` is required by some versions and ignored by others. */
export const turnInput = ({ text, imageUrls = [] }: Pick<StartTurnParams, 'text' | 'imageUrls'>): readonly object[] => [
  ...imageUrls.map((url) => ({ type: 'image', url })),
  { type: 'text', text, text_elements: [] },
];

/** What must not be sent twice without looking whether the first one arrived. */
const unsafeToResend = new Set(['turn/start', 'turn/steer', 'thread/queue/add', 'thread/inject_items', 'thread/start']);
export const isSafeToResend = (method: string): boolean => !unsafeToResend.has(method);
