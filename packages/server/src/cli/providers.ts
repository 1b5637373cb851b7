import { listAll } from 'agent-relay-client';
import type { Node, NodeProvider } from 'agent-relay-protocol';
import type { Command } from 'commander';
import { CommandFailure, type RelayOptions, relayCommand, withRelay } from './relay-access.ts';
import { oneLine, type Terminal, table } from './terminal.ts';

type ProvidersOptions = RelayOptions & { readonly json?: true };

export const providersCommand = (terminal: Terminal): Command =>
  relayCommand('providers')
    .description('List the kinds of agents that each machine can run, what they can do, and how to install the others')
    .argument('[machine]', 'one machine only: its id or name')
    .option('--json', 'one JSON object a line')
    .addHelpText('after', columns)
    .action(async (machine: string | undefined, { json, ...options }: ProvidersOptions) => {
      await withRelay(options, terminal, async (client) => {
        const { data } = await listAll(client.nodes.list, { look: true }, { signal: terminal.signal });
        const shown = data.filter(({ nodeId, name }) => machine === undefined || machine === nodeId || machine === name);
        if (machine !== undefined && shown.length === 0) throw new CommandFailure(`error: there is no machine ${oneLine(machine, 128)}`, 1);
        for (const node of shown) for (const line of json ? jsonLines(node) : linesOf(node)) terminal.out(line);
        if (data.length === 0) terminal.note('No machines. On one that is to run agents: relay-connect pair --url <this relay>');
      });
    });

const jsonLines = ({ nodeId, name, status, providers }: Node): readonly string[] =>
  providers.map((provider) => JSON.stringify({ nodeId, machine: name, status, ...provider }));

function linesOf({ nodeId, name, status, providers, terms }: Node): readonly string[] {
  const machine = `${oneLine(name, 40)} (${nodeId}), ${status}`;
  if (status === 'offline') return [machine, 'What it can run is not known while it is offline.'];
  const here = providers.filter(({ available }) => available);
  const others = providers.filter(({ available }) => !available);
  return [
    machine,
    ...(here.length === 0 ? [] : table([heading, ...here.map((provider) => rowOf(provider, terms?.modes))])),
    ...(others.length === 0 ? [] : ['Not there:', ...table(others.map(({ id, reason }) => [`  ${id}`, oneLine(reason ?? '-', 400)]))]),
  ];
}

const heading = ['PROVIDER', 'VERSION', 'STEER', 'APPROVALS', 'DIFFS', 'RESUME', 'MODES', 'SANDBOX'];

/** `allowed`: what the owner of the machine does. */
function rowOf({ id, version, abilities }: NodeProvider, allowed?: readonly string[]): string[] {
  const known = [id, oneLine(version ?? '-', 20)];
  if (abilities === undefined) return [...known, '?', '?', '?', '?', '?', '?'];
  const { steer, approvals, diffs, resume, modes, sandbox } = abilities;
  return [
    ...known,
    steer,
    yesNo(approvals),
    yesNo(diffs),
    yesNo(resume),
    listed(modes.filter((mode) => allowed?.includes(mode) ?? true)),
    listed(sandbox),
  ];
}

const yesNo = (can: boolean): string => (can ? 'yes' : 'no');
const listed = (words: readonly string[]): string => words.map((word) => oneLine(word, 20)).join(',') || '-';

const columns = `
STEER      joins: a message sent with --mode now reaches the running turn; waits: it comes after it
APPROVALS  asks a person before it does what goes beyond its mode
DIFFS      tells which files it changed
RESUME     spawn --resume goes on with its last conversation
MODES      what spawn --mode takes for it there, as far as the machine's node.yaml allows it
SANDBOX    what spawn --sandbox can put it in on that machine

A machine has agents of its own in ~/.config/agent-relay/providers.json, which relay-connect reads when it starts; its
README says what goes there.`;
