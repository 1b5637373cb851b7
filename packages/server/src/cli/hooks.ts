import type { RelayClient } from 'agent-relay-client';
import type { ActivityEntry, AgentEvent, Hook, RecentHookResult } from 'agent-relay-protocol';
import { Command, InvalidArgumentError } from 'commander';
import { requirePerson } from './current-agent.ts';
import { describeHookRun } from './describe-activity.ts';
import type { WordsOf } from './event-words.ts';
import { CommandFailure, type RelayOptions, relayCommand, withRelay } from './relay-access.ts';
import { clockTime, oneLine, type Terminal, table } from './terminal.ts';

type JsonOption = RelayOptions & { readonly json?: true };

/** `agent-relay hooks [list|test|log]`. */
export const hooksCommand = (terminal: Terminal): Command =>
  new Command('hooks')
    .description('What your machines and the relay do by themselves when something happens: list it, try it, see what came of it')
    .addCommand(listCommand(terminal), { isDefault: true })
    .addCommand(testCommand(terminal))
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
          terminal.note('No hooks. They are written in ~/.agent-relay/agent-relay.yaml on the machine that runs the agents.');
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
