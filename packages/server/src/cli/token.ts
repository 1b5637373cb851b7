import { listAll } from 'agent-relay-client';
import type { CreateToken, Scope, Token, TokenKind } from 'agent-relay-protocol';
import { ScopeSchema, scopes } from 'agent-relay-protocol';
import { Command, InvalidArgumentError, Option } from 'commander';
import { programName } from './program-name.ts';
import { type RelayOptions, relayCommand, withRelay } from './relay-access.ts';
import { dayAndTime, oneLine, type Terminal, table } from './terminal.ts';
import { parseDuration } from './time.ts';

interface CreateOptions extends RelayOptions {
  readonly kind: NonNullable<CreateToken['kind']>;
  readonly scope?: Scope[];
  readonly target?: string[];
  readonly channel?: string[];
  readonly agent?: string;
  readonly expires?: number;
  readonly json?: true;
}

/** `agent-relay token create|list|revoke`. */
export const tokenCommand = (terminal: Terminal): Command =>
  new Command('token')
    .description('Make, list and revoke tokens for programs, agents, channels and observers')
    .addCommand(createCommand(terminal))
    .addCommand(dialInCommand(terminal))
    .addCommand(listCommand(terminal))
    .addCommand(revokeCommand(terminal));

const createCommand = (terminal: Terminal): Command =>
  relayCommand('create')
    .description('Make a token and print it; it is never shown again')
    .argument('<name>', 'what people call it')
    .addOption(
      new Option('--kind <kind>', 'a program, one agent, a channel that also answers approvals for its people, or somebody who only reads')
        .choices(['scoped', 'agent', 'channel', 'observer'])
        .default('scoped'),
    )
    .option('--scope <scopes...>', `what it may: ${scopes.join(', ')}`, collectScopes)
    .option('--target <addresses...>', 'the only addresses it may send to or act upon')
    .option('--channel <names...>', 'the only channels it may send in')
    .option('--agent <id>', 'with --kind agent or channel: the one it acts as')
    .option('--expires <duration>', 'how long it is good, e.g. 12h or 90d (default: until it is revoked)', parseDuration)
    .option('--json', 'everything about it as one JSON object')
    .action(async (name: string, { kind, scope, target, channel, agent, expires, json, ...options }: CreateOptions) => {
      await withRelay(options, terminal, async (client) => {
        const created = await client.tokens.create({
          name,
          kind,
          ...(scope && { scopes: scope }),
          ...(target && { targets: target }),
          ...(channel && { channels: channel }),
          ...(agent !== undefined && { agentId: agent }),
          ...(expires !== undefined && { expiresInMs: expires }),
        });
        terminal.out(json ? JSON.stringify(created) : created.token);
        if (!json) terminal.note(`Keep it: it is not shown again. To end it: ${programName(terminal.env)} token revoke ${created.tokenId}`);
      });
    });

const dialInCommand = (terminal: Terminal): Command =>
  relayCommand('dial-in')
    .description('Print an address that a Claude Code you start may dial to be an agent, once and within ten minutes')
    .argument('<agent>', 'the id of the agent')
    .option('--json', 'the code as one JSON object')
    .action(async (agent: string, { json, ...options }: RelayOptions & { json?: true }) => {
      await withRelay(options, terminal, async (client, url) => {
        const made = await client.sessions.invite({ agent });
        if (json) return terminal.out(JSON.stringify(made));
        const address = new URL(made.path, url).href.replace(/^http/u, 'ws');
        terminal.out(address);
        terminal.note(`Start it with: npx agent-relay-claude dial ${address}`);
      });
    });

const listCommand = (terminal: Terminal): Command =>
  relayCommand('list')
    .description('List the tokens that are good now')
    .option('--all', 'also those the relay made: browsers, machines, agent sessions')
    .option('--json', 'one JSON object a line')
    .action(async ({ all, json, ...options }: RelayOptions & { all?: true; json?: true }) => {
      await withRelay(options, terminal, async (client) => {
        const { data } = await listAll(client.tokens.list, {});
        data.sort((one, other) => one.createdAt - other.createdAt);
        const shown = all ? data : data.filter(({ kind }) => personal.has(kind));
        if (json) for (const token of shown) terminal.out(JSON.stringify(token));
        else if (shown.length > 0) for (const line of table([heading, ...shown.map(row)])) terminal.out(line);
        if (shown.length === 0) terminal.note('No tokens.');
      });
    });

const revokeCommand = (terminal: Terminal): Command =>
  relayCommand('revoke')
    .description('End a token at once')
    .argument('<id>', 'the id that `token list` shows')
    .action(async (id: string, options: RelayOptions) => {
      await withRelay(options, terminal, async (client) => {
        await client.tokens.revoke({ id });
        terminal.out(`${id} is revoked`);
      });
    });

const personal: ReadonlySet<TokenKind> = new Set(['scoped', 'agent', 'channel', 'observer']);
const heading = ['ID', 'KIND', 'NAME', 'AGENT', 'SCOPES', 'TARGETS', 'CHANNELS', 'EXPIRES'];
const row = ({ tokenId, kind, name, agentId, scopes: has, targets, channels, expiresAt }: Token): string[] => [
  tokenId,
  kind,
  name === null ? '-' : oneLine(name, 40),
  agentId ?? '-',
  has?.join(',') ?? '-',
  targets?.join(',') ?? '-',
  channels?.join(',') ?? '-',
  expiresAt === null ? 'never' : dayAndTime(expiresAt),
];

function collectScopes(text: string, before: readonly Scope[] = []): Scope[] {
  const found = text.split(',').map((word) => {
    const scope = ScopeSchema.safeParse(word);
    if (!scope.success) throw new InvalidArgumentError(`there is no scope ${word}`);
    return scope.data;
  });
  return [...before, ...found];
}
