import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { AgentIdSchema, type FieldIssue, RelayError } from 'agent-relay-protocol';
import { z } from 'zod';

const httpUrl = z
  .string()
  .refine((text) => URL.canParse(text) && ['http:', 'https:'].includes(new URL(text).protocol), 'must be an http or https address')
  .transform((text) => text.replace(/\/+$/u, ''));
const ids = (what: string) =>
  z
    .string()
    .transform((text) => text.split(/[\s,]+/u).filter((id) => id !== ''))
    .pipe(
      z.array(
        z
          .string()
          .regex(/^-?[1-9]\d{0,15}$/u, `must be the numeric ids of ${what}, between commas`)
          .transform(Number),
      ),
    );

const howToFindTheId =
  "names no chat, and nobody else is let in. To find a chat's id, allow any number, write to the bot there, and it answers with the id";

/** Every setting, under the name of its environment variable. */
const SettingsSchema = z.object({
  TELEGRAM_BOT_TOKEN: z
    .string('is missing: @BotFather gives it')
    .regex(/^\d{3,}:[\w-]{10,}$/u, 'must look like 123456:ABC…, as @BotFather gives it'),
  TELEGRAM_ALLOWED_CHATS: ids('chats').pipe(z.array(z.number()).min(1, howToFindTheId)),
  TELEGRAM_APPROVAL_CHATS: ids('chats'),
  TELEGRAM_APPROVERS: ids('users').nullable(),
  TELEGRAM_API_ROOT: httpUrl,
  TELEGRAM_STATE_DIR: z.string(),
  AGENT_RELAY_URL: httpUrl,
  AGENT_RELAY_TOKEN: z
    .string()
    .regex(/^\S{8,512}$/u, 'must be 8 to 512 characters without spaces')
    .optional(),
  TELEGRAM_CHANNEL_ID: AgentIdSchema,
  AGENT_RELAY_LOG: z.enum(['silent', 'error', 'warn', 'info', 'debug']),
});

export type SettingName = keyof typeof SettingsSchema.shape | TokenFileName;
type TokenFileName = 'TELEGRAM_BOT_TOKEN_FILE' | 'AGENT_RELAY_TOKEN_FILE';

export interface Settings {
  readonly botToken: string;
  readonly allowedChats: ReadonlySet<number>;
  /** Chats that every agent's approvals are posted to, besides those bound to the agent. */
  readonly approvalChats: ReadonlySet<number>;
  /** Users whose presses count; null lets the person of a private chat decide, and nobody in groups. */
  readonly approvers: ReadonlySet<number> | null;
  readonly apiRoot: string;
  readonly stateDir: string;
  readonly relayUrl: string;
  readonly relayToken: string | undefined;
  /** The channel's agent id in the relay. */
  readonly channelId: string;
  readonly logLevel: z.output<typeof SettingsSchema>['AGENT_RELAY_LOG'];
}

export interface SettingSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What the command line said, under the same names; it wins. */
  readonly flags: Partial<Readonly<Record<SettingName, string>>>;
}

/**
 * The effective settings.
 * @throws RelayError `validation_failed` that names every fault at once, and never a token.
 */
export function readSettings({ env, flags }: SettingSources): Settings {
  const value = (name: SettingName): string | undefined => flags[name] ?? (env[name] || undefined);
  const issues: FieldIssue[] = [];
  const token = (name: 'TELEGRAM_BOT_TOKEN' | 'AGENT_RELAY_TOKEN'): string | undefined => {
    const file = value(`${name}_FILE`);
    if (file === undefined || flags[name] !== undefined) return value(name);
    const content = readToken(file);
    if (content === null) issues.push({ path: `${name}_FILE`, message: `${file} cannot be read, or is empty` });
    return content ?? undefined;
  };
  const given = {
    TELEGRAM_BOT_TOKEN: token('TELEGRAM_BOT_TOKEN'),
    TELEGRAM_ALLOWED_CHATS: value('TELEGRAM_ALLOWED_CHATS') ?? '',
    TELEGRAM_APPROVAL_CHATS: value('TELEGRAM_APPROVAL_CHATS') ?? '',
    TELEGRAM_APPROVERS: value('TELEGRAM_APPROVERS') ?? null,
    TELEGRAM_API_ROOT: value('TELEGRAM_API_ROOT') ?? 'https://api.telegram.org',
    TELEGRAM_STATE_DIR: value('TELEGRAM_STATE_DIR') ?? defaultStateDir(env),
    AGENT_RELAY_URL: value('AGENT_RELAY_URL') ?? 'http://127.0.0.1:4850',
    AGENT_RELAY_TOKEN: token('AGENT_RELAY_TOKEN'),
    TELEGRAM_CHANNEL_ID: value('TELEGRAM_CHANNEL_ID') ?? 'telegram',
    AGENT_RELAY_LOG: value('AGENT_RELAY_LOG') ?? 'info',
  };
  const parsed = SettingsSchema.safeParse(given);
  const said = new Set(issues.map(({ path }) => path.replace(/_FILE$/u, '')));
  for (const { path, message } of parsed.error?.issues ?? []) {
    const name = String(path[0]);
    if (!said.has(name)) issues.push({ path: name, message });
    said.add(name);
  }
  if (parsed.data !== undefined) issues.push(...disagreementsOf(parsed.data));
  if (issues.length > 0 || parsed.data === undefined) throw faults(issues);
  return toSettings(parsed.data);
}

function disagreementsOf({ TELEGRAM_ALLOWED_CHATS, TELEGRAM_APPROVAL_CHATS }: z.output<typeof SettingsSchema>): FieldIssue[] {
  const strange = TELEGRAM_APPROVAL_CHATS.filter((id) => !TELEGRAM_ALLOWED_CHATS.includes(id));
  return strange.map((id) => ({ path: 'TELEGRAM_APPROVAL_CHATS', message: `${id} is not among TELEGRAM_ALLOWED_CHATS` }));
}

function toSettings(settings: z.output<typeof SettingsSchema>): Settings {
  return {
    botToken: settings.TELEGRAM_BOT_TOKEN,
    allowedChats: new Set(settings.TELEGRAM_ALLOWED_CHATS),
    approvalChats: new Set(settings.TELEGRAM_APPROVAL_CHATS),
    approvers: settings.TELEGRAM_APPROVERS === null ? null : new Set(settings.TELEGRAM_APPROVERS),
    apiRoot: settings.TELEGRAM_API_ROOT,
    stateDir: resolve(settings.TELEGRAM_STATE_DIR),
    relayUrl: settings.AGENT_RELAY_URL,
    relayToken: settings.AGENT_RELAY_TOKEN,
    channelId: settings.TELEGRAM_CHANNEL_ID,
    logLevel: settings.AGENT_RELAY_LOG,
  };
}

function readToken(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim() || null;
  } catch {
    return null;
  }
}

function defaultStateDir(env: SettingSources['env']): string {
  const home = env['XDG_STATE_HOME'] || env['LOCALAPPDATA'] || join(homedir(), '.local', 'state');
  return join(home, 'agent-relay', 'telegram');
}

function faults(issues: readonly FieldIssue[]): RelayError {
  const text = issues.map(({ path, message }) => `${path} ${message}`).join('\n  ');
  return new RelayError('validation_failed', `these settings are not valid:\n  ${text}`, { issues });
}
