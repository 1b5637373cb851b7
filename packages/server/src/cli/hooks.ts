// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders of hooks, which no template fills
import type { RelayClient } from 'agent-relay-client';
import {
  type ActivityEntry,
  type AgentEvent,
  type DeliveryMode,
  DeliveryModeSchema,
  type Hook,
  type RecentHookResult,
  relayTriggers,
  type SetHook,
} from 'agent-relay-protocol';
import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import { requirePerson } from './current-agent.ts';
import { describeHookRun } from './describe-activity.ts';
import type { WordsOf } from './event-words.ts';
import { programName } from './program-name.ts';
import { CommandFailure, type RelayOptions, relayCommand, withDefault, withRelay } from './relay-access.ts';
import { clockTime, oneLine, type Terminal, table } from './terminal.ts';

type JsonOption = RelayOptions & { readonly json?: true };

/** `agent-relay hooks [list|test|add|remove|log]`. */
export const hooksCommand = (terminal: Terminal): Command =>
  withDefault(new Command('hooks'), listCommand(terminal))
    .description('What your machines and the relay do by themselves when something happens: list it, try it, see what came of it')
    .addCommand(testCommand(terminal))
    .addCommand(addCommand(terminal))
    .addCommand(removeCommand(terminal))
    .addCommand(logCommand(terminal));

const listCommand = (terminal: Terminal): Command =>
  relayCommand('list')
    .description('List the hooks of connected machines and of the relay, and what is wrong with their files')
    .option('--json', 'one JSON object a line')
    .action(async ({ json, ...options }: JsonOption) => {
      await withRelay(options, terminal, async (client) => {
        const { hooks, sources } = await client.hooks.describe({}, { signal: terminal.signal });
        const names = new Map(sources.map(({ nodeId, name }) => [nodeId, name]));
        if (json) for (const hook of hooks) terminal.out(JSON.stringify(hook));
        else if (hooks.length > 0)
          for (const line of table([heading, ...hooks.map((hook) => row(hook, names.get(hook.nodeId) ?? '?'))])) terminal.out(line);
        for (const { name, fault } of sources)
          if (fault !== null) terminal.note(`${oneLine(name)} goes on with what its file said before: ${oneLine(fault, 1000)}`);
        if (hooks.length === 0 && sources.every(({ fault }) => fault === null))
          terminal.note(
            `No hooks. They are written in ~/.agent-relay/agent-relay.yaml on the machine that runs the agents; ${programName(terminal.env)} hooks add writes the relay's own.`,
          );
      });
    });

interface TestOptions extends JsonOption {
  readonly node?: string;
  readonly field: Readonly<Record<string, string>>;
}

const testCommand = (terminal: Terminal): Command =>
  relayCommand('test')
    .description('Run a hook now, where it runs, with an example; a message is shown and not sent')
    .argument('<hook>', 'its name, as the list has it')
    .option('--node <machine>', 'the machine, where several have such a hook')
    .option('--field <name=value>', 'what a placeholder stands for, as file=/work/a.ts; may be given again', addField, {})
    .option('--json', 'the result as JSON')
    .action(async (name: string, { node, field, json, ...options }: TestOptions) => {
      requirePerson(terminal);
      await withRelay(options, terminal, async (client) => {
        const run = await client.hooks.test({ name, fields: field, ...(node && { node }) }, { signal: terminal.signal });
        terminal.out(json ? JSON.stringify(run) : describeHookRun(run));
        if (!json && run.output) for (const line of run.output.trimEnd().split('\n')) terminal.out(`  ${oneLine(line, 400)}`);
        if (run.outcome === 'failed' || run.outcome === 'timed_out')
          throw new CommandFailure(`error: the hook ${run.outcome === 'failed' ? 'failed' : 'took too long'}`, 1);
      });
    });

interface AddOptions extends JsonOption {
  readonly to?: string;
  readonly body?: string;
  readonly mode?: DeliveryMode;
  readonly webhook?: string;
  readonly name?: string;
  readonly replaces?: string;
}

const addCommand = (terminal: Terminal): Command =>
  relayCommand('add')
    .description("Write one of the relay's own hooks into its file: a message to somebody, or a signed post")
    .addArgument(
      new Argument('<when>', 'what sets it off; with on_ before it, as in the file, as well').choices(relayTriggers).argParser(readTrigger),
    )
    .option('--to <address>', 'write to this agent, channel or tag')
    .option('--body <text>', 'what it says, with placeholders such as ${agent} (default: what happened)')
    .addOption(new Option('--mode <mode>', 'how the message arrives').choices(DeliveryModeSchema.options))
    .addOption(
      new Option('--webhook <url>', 'post to this address; the secret that signs it is made by the relay and shown once').conflicts('to'),
    )
    .option('--name <name>', 'how it is listed')
    .option('--replaces <hook>', 'take the place of this one')
    .option('--json', 'the hook as JSON')
    .action(async (trigger: SetHook['trigger'], { to, json, body, mode, webhook, name, replaces, ...options }: AddOptions) => {
      requirePerson(terminal);
      if (to === undefined && webhook === undefined) throw new CommandFailure('error: say what it does: --to or --webhook', 2);
      const said = {
        trigger,
        ...(to !== undefined && { relay: to }),
        ...(body !== undefined && { body }),
        ...(mode && { mode }),
        ...(webhook !== undefined && { webhook }),
        ...(name !== undefined && { name }),
        ...(replaces !== undefined && { replaces }),
      };
      await withRelay(options, terminal, async (client) => {
        const { hook, secret } = await client.hooks.set(said, { signal: terminal.signal });
        terminal.out(json ? JSON.stringify({ hook, secret }) : `The relay follows ${oneLine(hook.name)}.`);
        if (!json && secret !== undefined) terminal.out(`Its posts are signed with ${secret}`);
      });
    });

function readTrigger(text: string): SetHook['trigger'] {
  const trigger = relayTriggers.find((known) => known === text.replace(/^on_/u, ''));
  if (trigger === undefined) throw new InvalidArgumentError(`Allowed choices are ${relayTriggers.join(', ')}.`);
  return trigger;
}

const removeCommand = (terminal: Terminal): Command =>
  relayCommand('remove')
    .description("Take one of the relay's own hooks out of its file")
    .argument('<hook>', 'its name, as the list has it')
    .action(async (name: string, options: RelayOptions) => {
      requirePerson(terminal);
      await withRelay(options, terminal, async (client) => {
        await client.hooks.remove({ name }, { signal: terminal.signal });
        terminal.out(`${oneLine(name)} is gone from the file.`);
      });
    });

const logCommand = (terminal: Terminal): Command =>
  relayCommand('log')
    .description('Show what hooks did: of one agent what its log has, else the last runs since each machine started')
    .argument('[agent]', "the agent's id")
    .option('--json', 'one JSON object a line')
    .action(async (agent: string | undefined, { json, ...options }: JsonOption) => {
      const { signal } = terminal;
      await withRelay(options, terminal, async (client) => {
        const runs =
          agent === undefined
            ? (await client.hooks.describe({}, { signal })).sources.flatMap(({ recent }) => recent).toSorted((a, b) => a.at - b.at)
            : await runsOf(client, agent, signal);
        for (const run of runs)
          terminal.out(
            json
              ? JSON.stringify(run)
              : `${clockTime(run.at)}  ${run.isTrial ? 'a trial' : (run.agentId ?? 'relay')}  ${describeHookRun(run)}`,
          );
        if (runs.length === 0) terminal.note('No hook has run.');
      });
    });

/** So far back an agent's log is looked through, in pages. */
const MAX_PAGES = 20;

async function runsOf(client: RelayClient, id: string, signal: AbortSignal): Promise<readonly RecentHookResult[]> {
  let page = await client.agents.activity({ id, newest: true, limit: 1000 }, { signal });
  let runs = page.data.flatMap(runOf);
  for (let pages = 1; pages < MAX_PAGES && page.nextCursor !== undefined; pages += 1) {
    page = await client.agents.activity({ id, before: page.nextCursor, limit: 1000 }, { signal });
    runs = [...page.data.flatMap(runOf), ...runs];
  }
  return runs;
}

function runOf({ at, agentId, event }: ActivityEntry): readonly RecentHookResult[] {
  if (event.type !== 'hook.completed') return [];
  const { type: _type, ...run }: Extract<AgentEvent, { type: 'hook.completed' }> = event;
  return [{ ...run, at, agentId }];
}

function addField(text: string, fields: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const [, name, value = ''] = /^([a-zA-Z][a-zA-Z0-9]{0,31})=(.*)$/su.exec(text) ?? [];
  if (name === undefined) throw new InvalidArgumentError('Say a name and a value, as file=/work/a.ts.');
  return { ...fields, [name]: value };
}

const heading = ['NAME', 'RUNS ON', 'FOR', 'WHEN', 'DOES'];
const row = ({ name, agents, trigger, action, does }: Hook, where: string): string[] => [
  oneLine(name, 60),
  oneLine(where, 40),
  oneLine(agents, 40),
  oneLine(trigger, 40),
  `${oneLine(action, 20)}: ${oneLine(does, 100)}`,
];

export const hookWords: WordsOf<'hook'> = {
  'hook.completed': (run) => `relay: ${describeHookRun(run)}`,
};
