import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { listAll, type RelayClient } from 'agent-relay-client';
import { agentProfile } from 'agent-relay-client/node';
import {
  type ApprovalMode,
  ApprovalModeSchema,
  GroupNameSchema,
  isOwnersNodeId,
  type Node,
  providerOver,
  providerTransports,
  RelayError,
  type RouteRequest,
  type SandboxRequest,
  SandboxRequestSchema,
  type Session,
  SpawnModeSchema,
  type SpawnTarget,
  SpawnTargetSchema,
} from 'agent-relay-protocol';
import { sleep } from 'agent-relay-wire';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { LOCAL_NODE_NAME } from '../local-node.ts';
import { agentOfSession } from './current-agent.ts';
import { programName } from './program-name.ts';
import { CommandFailure, type RelayOptions, relayCommand, withRelay } from './relay-access.ts';
import { oneLine, type Terminal } from './terminal.ts';

interface SpawnOptions extends RelayOptions {
  readonly name: string;
  readonly task?: string;
  readonly cwd?: string;
  readonly mode?: 'safe' | 'agentic' | 'unrestricted';
  readonly approval?: ApprovalMode;
  readonly ask?: boolean;
  readonly profile?: string;
  readonly model?: string;
  readonly transport?: (typeof providerTransports)[number];
  readonly node?: string;
  readonly nodeLabel?: readonly string[];
  readonly label?: string;
  readonly resume?: true | string;
  readonly fork?: true;
  readonly target?: SpawnTarget;
  readonly sandbox?: SandboxRequest;
  readonly wake?: 'never' | 'resume' | 'fresh';
  readonly idle?: number;
}

export const spawnCommand = (terminal: Terminal): Command =>
  relayCommand('spawn')
    .description('Start an agent; answers when it runs')
    .argument('<provider>', 'claude, codex, gemini, or whatever a node offers')
    .requiredOption('--name <id>', "the agent's id, and the name others call it by")
    .option('--task <text>', 'its first task')
    .option('--cwd <folder>', 'the folder it works in (default: this one)', (folder) => resolve(terminal.cwd, folder))
    .addOption(new Option('--mode <mode>', 'what it may do on the machine, see below (default agentic)').choices(SpawnModeSchema.options))
    .addOption(new Option('--approval <mode>', 'what turns that relay mail starts may do').choices(ApprovalModeSchema.options))
    .option('--ask', 'in mode agentic, ask a person for what goes beyond it (default at a terminal, where it can)')
    .option('--no-ask', 'refuse that instead')
    .option('--profile <name>', 'what it says of itself: a profile of the profiles file (AGENT_RELAY_PROFILE)')
    .option('--model <model>', "the vendor's name of a model")
    .addOption(
      new Option('--transport <kind>', 'how codex is driven: its app-server (the default), or codex exec a prompt').choices(
        providerTransports,
      ),
    )
    .option('--node <id>', 'the machine to run it on, by id or name')
    .option('--node-label <labels...>', 'a machine that has all of these labels (its node.yaml says them)', collectLabels)
    .option('--label <text>', 'a label for people')
    .addOption(new Option('--sandbox <kind>', 'what keeps it in its folder, see below').choices(SandboxRequestSchema.options))
    .option('--resume [agent]', 'go on with the last conversation it had, or that agent, on the same machine and in the same folder')
    .option('--fork', 'with --resume, go on with a copy: the other may go on with its own')
    .addOption(
      new Option('--target <kind>', 'headless (the default), or background: a session that you can open at a terminal').choices(
        SpawnTargetSchema.options,
      ),
    )
    .addOption(
      new Option('--wake <how>', 'once it has ended, mail starts it again: in its old conversation, or in a fresh one').choices([
        'never',
        'resume',
        'fresh',
      ]),
    )
    .option('--idle <minutes>', 'with --wake: it is released after so long without work (default 10)', parseMinutes)
    .addHelpText('after', environment)
    .action(async (cli: string, options: SpawnOptions) => {
      const request = requestOf(cli, options, terminal);
      const { provider, node, nodeLabels, resume } = request;
      await withRelay(options, terminal, async (client, _url, isRelayHere) => {
        const machines = await onlineMachines(client, terminal.signal);
        const here = node || nodeLabels || resume ? undefined : machineHere(machines, { provider, isRelayHere });
        const asked = { ...request, ...(here && { node: here }), ...mayAsk(options, terminal, { machines, provider }) };
        const session = await startOnce(client, asked, terminal.signal);
        tellStarted(session, machines, terminal);
        terminal.note(`See what it does: ${programName(terminal.env)} watch --agent ${session.agentId}`);
      });
    });

/** What is asked for; a field that nobody said is left out. */
function requestOf(cli: string, options: SpawnOptions, terminal: Terminal): RouteRequest<'sessions/start'> {
  const { name, task, mode, model, node, nodeLabel, resume, fork, target, sandbox, wake, idle } = options;
  if (idle !== undefined && (wake === undefined || wake === 'never'))
    throw new CommandFailure('error: --idle goes with --wake resume or --wake fresh', 2);
  if (fork && !resume) throw new CommandFailure('error: --fork goes with --resume', 2);
  // A folder of this machine says nothing on one that labels choose.
  const cwd = options.cwd ?? (resume || nodeLabel ? undefined : terminal.cwd);
  const where = { ...(cwd && { cwd }), ...(node && { node }), ...(nodeLabel && { nodeLabels: [...nodeLabel] }) };
  const from = { ...(resume && { resume: true }), ...(typeof resume === 'string' && { resumeFrom: resume }), ...(fork && { fork }) };
  const how = { ...from, ...(target && { target }), ...(mode && { mode }), ...(model && { model }), ...(sandbox && { sandbox }) };
  const waking = { ...(wake && { wake }), ...(idle === undefined ? {} : { idleMs: Math.round(idle * 60_000) }) };
  return {
    provider: providerOver(cli, options.transport),
    name,
    idempotencyKey: randomUUID(),
    ...where,
    ...how,
    ...waking,
    ...(task && { task }),
    ...saidOf(options, terminal),
  };
}

/** A relay that goes while it starts an agent has answered nothing: under the same key it is asked once more, and starts nobody twice. */
async function startOnce(client: RelayClient, request: RouteRequest<'sessions/start'>, signal: AbortSignal): Promise<Session> {
  try {
    return await client.sessions.start(request, { signal });
  } catch (error) {
    if (!(error instanceof RelayError && error.code === 'connection_closed')) throw error;
    await sleep(ASK_AGAIN_MS, { signal });
    return client.sessions.start(request, { signal });
  }
}

/** A relay that is started anew is there by then. */
const ASK_AGAIN_MS = 1_000;

function parseMinutes(text: string): number {
  const minutes = Number(text);
  if (!(minutes >= 1 / 60 && minutes <= 10_080)) throw new InvalidArgumentError('must be minutes, from a second to seven days');
  return minutes;
}

function collectLabels(label: string, labels: readonly string[] = []): readonly string[] {
  if (!GroupNameSchema.safeParse(label).success) throw new InvalidArgumentError('a label has no spaces, commas or colons');
  return [...labels, label];
}

async function onlineMachines(client: RelayClient, signal: AbortSignal): Promise<readonly Node[]> {
  try {
    const { data } = await listAll(client.nodes.list, {}, { signal });
    return data.filter(({ status }) => status === 'online');
  } catch (error) {
    // Whoever may not see them may start agents all the same.
    if (error instanceof RelayError && error.code === 'forbidden_scope') return [];
    throw error;
  }
}

function tellStarted(session: Session, machines: readonly Node[], terminal: Terminal): void {
  const machine = machines.length > 1 ? machines.find(({ nodeId }) => nodeId === session.nodeId) : undefined;
  const place = `${session.cwd === null ? '' : ` in ${session.cwd}`}${machine ? ` on ${oneLine(machine.name)}` : ''}`;
  terminal.out(
    `${session.agentId} ${standing(session)}: ${session.provider}${place} (mode ${session.mode}${session.sandbox === 'none' ? '' : `, sandbox ${session.sandbox}`})`,
  );
  if (session.sandboxReason !== null) terminal.note(`warning: it runs in no sandbox. ${oneLine(session.sandboxReason, 1000)}`);
  if (session.ask && session.mode === 'agentic') terminal.note(`It may ask you: ${programName(terminal.env)} approvals`);
  if (session.attach !== undefined) terminal.note(`Open it at a terminal of its machine: ${oneLine(session.attach)}`);
}

/** As it is: what answers a start that was asked for again may be over since. */
export function standing({ status, reason }: Pick<Session, 'status' | 'reason'>): string {
  if (status === 'running') return 'runs';
  if (status === 'starting') return 'is being started';
  return `ran and ${status === 'failed' ? 'has failed' : 'has ended'}${reason === null ? '' : ` (${oneLine(reason, 1000)})`}`;
}

/** Of several machines, the one where the command is typed: the folder that it names is a folder here. */
function machineHere(
  machines: readonly Node[],
  { provider, isRelayHere }: { readonly provider: string; readonly isRelayHere: boolean },
): string | undefined {
  if (machines.length < 2) return undefined;
  const able = machines.filter(({ providers }) => providers.some(({ id, available }) => id === provider && available));
  // The relay's own machine is called by no host name.
  const own = isRelayHere ? able.find(({ nodeId, name }) => name === LOCAL_NODE_NAME && isOwnersNodeId(nodeId)) : undefined;
  return (own ?? able.find(({ name }) => name === hostname()))?.nodeId;
}

/** As it was said; else where a person is there to be asked, and no machine says that agents of this kind cannot. */
function mayAsk(
  { ask }: Pick<SpawnOptions, 'ask'>,
  terminal: Pick<Terminal, 'ask' | 'env'>,
  { machines, provider }: { readonly machines: readonly Node[]; readonly provider: string },
): { readonly ask?: boolean } {
  if (ask !== undefined) return { ask };
  const kinds = machines.flatMap(({ providers }) => providers.filter(({ id }) => id === provider));
  return isPerson(terminal) && !kinds.some(({ abilities }) => abilities?.approvals === false) ? { ask: true } : {};
}

/** Somebody sits at a terminal, and it is no agent's. */
const isPerson = ({ ask, env }: Pick<Terminal, 'ask' | 'env'>): boolean => ask !== null && agentOfSession(env) === undefined;

/** What the command line says of the agent, else the environment, else its profile. */
function saidOf(options: SpawnOptions, { env }: Pick<Terminal, 'env'>) {
  const { profile } = options;
  const { tags, capabilities, channels, meta, ...said } = agentProfile({ ...env, ...(profile && { AGENT_RELAY_PROFILE: profile }) });
  const label = options.label ?? said.label;
  const approval = options.approval ?? said.approval;
  return {
    ...(tags && { tags }),
    ...(capabilities && { capabilities }),
    ...(channels && { channels }),
    ...(label && { label }),
    ...(meta && { meta }),
    ...(approval && { approval }),
  };
}

const environment = `
Modes, the same for every agent:
  safe          no tools but the relay's
  agentic       reads, edits in its folder, and runs commands where a sandbox keeps them there (Codex has one; Claude has
                none, and runs what only reads). For what goes beyond it asks a person with --ask, else it is refused
  unrestricted  whatever you may yourself

Sandboxes, whatever the mode; a machine may ask for more (relay-connect --sandbox):
  os            its processes see their folder (read-only in safe), the system's programs and their own settings, and
                nothing else of yours; the network stays. An error where the machine has none
  bwrap, seatbelt  that one: bubblewrap on Linux, Seatbelt on macOS
  auto          as os where it can be had, else none, with a warning
  none          the default

Label, capabilities, tags, channels and approval come from AGENT_RELAY_LABEL, AGENT_RELAY_CAPS, AGENT_RELAY_TAGS,
AGENT_RELAY_CHANNELS and AGENT_RELAY_APPROVAL too, else from the profile; options win.

Example:
  agent-relay spawn claude --name Worker --profile backend --approval guarded --ask --task "Fix the failing API test"`;
