import { listAll, type RelayClient } from 'agent-relay-client';
import { LabelSchema, type Node, type NodePairing, type Session } from 'agent-relay-protocol';
import { Command, InvalidArgumentError } from 'commander';
import { type ConsentOptions, hasConsent } from './consent.ts';
import { requirePerson } from './current-agent.ts';
import { programName } from './program-name.ts';
import { CommandFailure, type RelayOptions, relayCommand, withDefault, withRelay } from './relay-access.ts';
import { clockTime, oneLine, type Terminal, table } from './terminal.ts';

type ListOptions = RelayOptions & { readonly json?: true };

/** `agent-relay nodes [list|pending|pair|rename|remove]`. */
export const nodesCommand = (terminal: Terminal): Command =>
  withDefault(new Command('nodes'), listCommand(terminal))
    .description('The machines that run agents: list them, let one in, rename it, take it out')
    .addCommand(pendingCommand(terminal))
    .addCommand(pairCommand(terminal))
    .addCommand(renameCommand(terminal))
    .addCommand(removeCommand(terminal));

const listCommand = (terminal: Terminal): Command =>
  relayCommand('list')
    .description('List the machines, with what each can start and how many agents it runs')
    .option('--json', 'one JSON object a line')
    .action(async ({ json, ...options }: ListOptions) => {
      await withRelay(options, terminal, async (client) => {
        const { signal } = terminal;
        const [{ data }, sessions] = await Promise.all([listAll(client.nodes.list, {}, { signal }), runningSessions(client, terminal)]);
        const running = (id: string) => sessions.filter(({ nodeId }) => nodeId === id).length;
        if (json) for (const node of data) terminal.out(JSON.stringify({ ...node, runningSessions: running(node.nodeId) }));
        else if (data.length > 0)
          for (const line of table([heading, ...data.map((node) => row(node, running(node.nodeId)))])) terminal.out(line);
        if (data.length === 0) terminal.note('No machines. On one that is to run agents: relay-connect pair --url <this relay>');
      });
    });

const pendingCommand = (terminal: Terminal): Command =>
  relayCommand('pending')
    .description('List the machines that ask to be let in')
    .option('--json', 'one JSON object a line')
    .action(async ({ json, ...options }: ListOptions) => {
      await withRelay(options, terminal, async (client) => {
        const { data } = await listAll(client.nodes.pairings, {}, { signal: terminal.signal });
        if (json) for (const pairing of data) terminal.out(JSON.stringify(pairing));
        else if (data.length > 0) for (const line of table([pairingHeading, ...data.map(pairingRow)])) terminal.out(line);
        if (data.length === 0) terminal.note('No machine asks to be let in.');
      });
    });

const pairCommand = (terminal: Terminal): Command =>
  relayCommand('pair')
    .description('Let the machine in that shows this code: agents may run there then')
    .argument('<code>', 'what relay-connect pair shows there')
    .option('--name <name>', 'what to call it (default: what it calls itself)', parseName)
    .action(async (code: string, { name, ...options }: RelayOptions & { readonly name?: string }) => {
      requirePerson(terminal);
      await withRelay(options, terminal, async (client) => {
        const { signal } = terminal;
        const node = await client.nodes.pair({ code, ...(name === undefined ? {} : { name }) }, { signal });
        terminal.out(`${node.name} (${node.nodeId}, relay-connect ${oneLine(node.version, 40)}) is paired.`);
        terminal.note(
          `It is online when relay-connect runs there. To take it out: ${programName(terminal.env)} nodes remove ${node.nodeId}`,
        );
      });
    });

const renameCommand = (terminal: Terminal): Command =>
  relayCommand('rename')
    .description('Call a paired machine something else')
    .argument('<machine>', 'its id or name')
    .argument('<name>', 'what to call it', parseName)
    .action(async (machine: string, name: string, options: RelayOptions) => {
      requirePerson(terminal);
      await withRelay(options, terminal, async (client) => {
        const { nodeId } = await machineOf(client, machine, terminal);
        const node = await client.nodes.rename({ id: nodeId, name }, { signal: terminal.signal });
        terminal.out(`${nodeId} is called ${node.name} now.`);
      });
    });

const removeCommand = (terminal: Terminal): Command =>
  relayCommand('remove')
    .description('Take a machine out: its token is revoked, its link and its agents end')
    .argument('<machine>', 'its id or name')
    .option('--yes', 'do not ask')
    .option('--dry-run', 'show what would end, and end nothing')
    .action(async (machine: string, { yes, dryRun, ...options }: RelayOptions & ConsentOptions) => {
      requirePerson(terminal);
      await withRelay(options, terminal, async (client) => {
        const { signal } = terminal;
        const { nodeId, name, status } = await machineOf(client, machine, terminal);
        const agents = (await runningSessions(client, terminal)).flatMap((session) => (session.nodeId === nodeId ? [session.agentId] : []));
        const ends = agents.length === 0 ? 'no agent' : agents.join(', ');
        terminal.note(`${name} (${nodeId}) is ${status} and runs ${ends}.`);
        if (!(await hasConsent(terminal, { ...(yes && { yes }), ...(dryRun && { dryRun }) }))) return;
        await client.nodes.remove({ id: nodeId }, { signal });
        terminal.out(`${name} (${nodeId}) is removed.`);
      });
    });

async function runningSessions(client: RelayClient, { signal }: Pick<Terminal, 'signal'>): Promise<readonly Session[]> {
  const sessions: Session[] = [];
  for (let before: number | undefined; ; ) {
    const { data, nextCursor } = await client.sessions.list({ status: 'running', ...(before === undefined ? {} : { before }) }, { signal });
    sessions.push(...data);
    if (nextCursor === undefined) return sessions;
    before = nextCursor;
  }
}

/** @throws CommandFailure when none, or more than one, is meant. */
async function machineOf(client: RelayClient, word: string, { signal }: Pick<Terminal, 'signal'>): Promise<Node> {
  const { data } = await listAll(client.nodes.list, {}, { signal });
  const named = data.filter(({ name }) => name === word);
  const [found] = data.filter(({ nodeId }) => nodeId === word).concat(named.length === 1 ? named : []);
  if (found) return found;
  if (named.length === 0) throw new CommandFailure(`error: there is no machine ${oneLine(word, 128)}`, 1);
  throw new CommandFailure(`error: several machines are called so; one of: ${named.map(({ nodeId }) => nodeId).join(', ')}`, 1);
}

function parseName(text: string): string {
  if (!LabelSchema.safeParse(text).success) throw new InvalidArgumentError('must be one line of 1 to 128 characters');
  return text;
}

const heading = ['ID', 'NAME', 'STATUS', 'VERSION', 'AGENTS', 'PROVIDERS', 'LABELS'];
const row = ({ nodeId, name, status, version, providers, terms }: Node, running: number): string[] => [
  nodeId,
  oneLine(name, 40),
  status,
  oneLine(version, 20),
  terms?.capacity === undefined ? String(running) : `${running}/${terms.capacity}`,
  providers.flatMap(({ id, available }) => (available ? [id] : [])).join(',') || '-',
  terms?.labels?.join(',') || '-',
];

const pairingHeading = ['CODE', 'NAME', 'VERSION', 'FROM', 'SINCE'];
const pairingRow = ({ code, name, version, address, askedAt }: NodePairing): string[] => [
  code,
  oneLine(name, 40),
  oneLine(version, 20),
  oneLine(address, 64) || '-',
  clockTime(askedAt),
];
