import { isIP } from 'node:net';
import { AddressSchema, AgentIdSchema, GroupNameSchema, OWNER_AGENT_ID, RELAY_AGENT_ID, ScopeSchema } from 'agent-relay-protocol';
import { z } from 'zod';
import { hashOfToken, type IntegrationSettings } from './relay/contract/integration-settings.ts';

const callbackUrl = z.string().refine(isCallbackUrl, 'must be an http or https address without a user name');
const secret = z.string().regex(/^\S{8,512}$/u, 'must be 8 to 512 characters without spaces');

/** It opened nothing; a configuration that names it is no fault. */
const formerScope = 'system:write';

const IntegrationEntrySchema = z.strictObject({
  name: AgentIdSchema.refine((name) => name !== OWNER_AGENT_ID && name !== RELAY_AGENT_ID, "is one of the relay's own names"),
  token: secret,
  scopes: z
    .array(ScopeSchema.or(z.literal(formerScope)))
    .min(1)
    .default(['tasks:create'])
    .transform((named) => named.filter((scope) => scope !== formerScope)),
  targets: z.array(AddressSchema).max(256).optional(),
  channels: z.array(GroupNameSchema).max(256).optional(),
  callbackUrl: callbackUrl.optional(),
  callbackSecret: secret.optional(),
});

const IntegrationListSchema = z.array(IntegrationEntrySchema).superRefine((entries, context) => {
  for (const field of ['name', 'token'] as const) {
    const seen = new Set<string>();
    for (const [index, entry] of entries.entries()) {
      if (seen.has(entry[field])) context.addIssue({ code: 'custom', path: [index, field], message: 'is used by another integration' });
      seen.add(entry[field]);
    }
  }
});

/** The JSON of AGENT_RELAY_INTEGRATIONS; every fault is named by its place. */
export const IntegrationsSettingSchema = z
  .string()
  .transform((text, context): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      context.addIssue({ code: 'custom', message: 'must be a JSON array of integrations' });
      return z.NEVER;
    }
  })
  .pipe(IntegrationListSchema)
  .transform((entries) => entries.map(toSettings));

/** Hosts, addresses and networks (`10.0.0.0/8`) that callbacks may reach although they are private; `all` is every one. */
export type PrivateCallbacks = 'all' | readonly string[];

export const PrivateCallbacksSettingSchema = z.string().transform((text): PrivateCallbacks => {
  if (text === '1' || text === 'true') return 'all';
  if (text === '0' || text === 'false') return [];
  return text
    .split(',')
    .map((item) => item.trim().toLowerCase())
    .filter((item) => item !== '');
});

function toSettings({
  name,
  token,
  scopes,
  targets,
  channels,
  callbackUrl: url,
  callbackSecret,
}: z.output<typeof IntegrationEntrySchema>): IntegrationSettings {
  const tokenHash = hashOfToken(token);
  return {
    name,
    tokenHash,
    tokenLength: token.length,
    scopes,
    targets: targets ?? null,
    channels: channels ?? null,
    callbackUrl: url ?? null,
    callbackKey: callbackSecret ?? tokenHash,
  };
}

function isCallbackUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password } = new URL(text);
  return (protocol === 'http:' || protocol === 'https:') && username === '' && password === '';
}

/** The host of a callback address when it is an address itself, without a name that would have to be resolved. */
export function literalAddressOf(url: string): string | null {
  const host = new URL(url).hostname.replace(/^\[|\]$/gu, '');
  return isIP(host) === 0 ? null : host;
}
