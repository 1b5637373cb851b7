import { existsSync } from 'node:fs';
import { listAll, type RelayClient } from 'agent-relay-client';
import { type Agent, type Health, HealthSchema, type NodeProvider, RelayError } from 'agent-relay-protocol';
import type { Command } from 'commander';
import { ownersNode } from '../domain/owners-node.ts';
import { engine } from '../engine.ts';
import { LOCAL_NODE_NAME } from '../local-node.ts';
import { CommandFailure, ownDatabasePath, type RelayOptions, relayCommand, withRelay } from './relay-access.ts';
import { oneLine, type Terminal } from './terminal.ts';

/** The relay offers waiting mail again to an idle agent's node within this time. */
const WAITS_TOO_LONG_MS = 120_000;

interface Finding {
  /** What could not be looked at from here (`?`) or was not wanted here (`-`) is no fault. */
  readonly verdict: 'ok' | 'BAD' | '?' | '-';
  readonly text: string;
}

const verdictWords = { ok: 'ok', BAD: 'bad', '?': 'unknown', '-': 'absent' } as const satisfies Record<Finding['verdict'], string>;

const good = (text: string): Finding => ({ verdict: 'ok', text });
const bad = (text: string): Finding => ({ verdict: 'BAD', text });
const unknown = (text: string): Finding => ({ verdict: '?', text });

export const doctorCommand = (terminal: Terminal): Command =>
  relayCommand('doctor')
    .alias('status')
    .description('Check Node, the database, the relay, its machines and their agents')
    .option('--json', 'one JSON object a line: verdict (ok, bad, unknown or absent) and text')
    .action(async ({ json, ...options }: RelayOptions & { readonly json?: true }) => {
      const path = ownDatabasePath(options, terminal.env);
      const findings = [good(`Node ${process.versions.node}`), await checkDatabase(path), ...(await checkRelay(options, terminal))];
      for (const { verdict, text } of findings)
        terminal.out(json ? JSON.stringify({ verdict: verdictWords[verdict], text: text.trim() }) : `${verdict.padEnd(4)} ${text}`);
      const faults = findings.filter(({ verdict }) => verdict === 'BAD').length;
      if (faults > 0)
        throw new CommandFailure(
          `error: ${faults === 1 ? '1 thing is not as it should be' : `${faults} things are not as they should be`}`,
          1,
        );
    });

async function checkDatabase(path: string): Promise<Finding> {
  if (!existsSync(path)) return good(`Database ${path}: not there yet; the first start makes it`);
  const obstacle = engine.obstacle();
  if (obstacle !== null) return unknown(`Database ${path}: not looked at. ${obstacle}`);
  try {
    const faults = await engine.check(path);
    return faults.length === 0 ? good(`Database ${path}: whole`) : bad(`Database ${path}: ${faults.slice(0, 3).join('; ')}`);
  } catch (error) {
    // A driver that cannot be loaded says nothing about the database.
    if (error instanceof RelayError && engine.isObstacle(error)) return unknown(`Database ${path}: not looked at. ${error.message}`);
    if (error instanceof RelayError) return bad(`Database ${path}: ${error.message}`);
    throw error;
  }
}

async function checkRelay(options: RelayOptions, terminal: Terminal): Promise<Finding[]> {
  const findings: Finding[] = [];
  try {
    await withRelay(options, terminal, async (client, url) => {
      const health = HealthSchema.safeParse(await client.system.health());
      if (!health.success) {
        findings.push(bad(`What answers at ${url} is no Agent Relay that this command knows`));
        return;
      }
      findings.push(relayFinding(health.data, url));
      // It knows its machines when they have come back to it.
      if (health.data.status === 'starting') {
        findings.push(unknown('Machines and agents: not looked at while the relay starts; ask again in a moment'));
        return;
      }
      const { data: agents } = await listAll(client.agents.list, {});
      findings.push(...(await waitingMail(client, agents)));
      findings.push(...(await machines(client, { agents, health: health.data })));
    });
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    findings.push(bad(error.message.replace(/^error: /u, '')));
  }
  return findings;
}

/** The machines that run agents, and what each can start. */
async function machines(client: RelayClient, { agents, health }: Beside): Promise<Finding[]> {
  const { data: nodes } = await listAll(client.nodes.list, {});
  if (nodes.length === 0) return [bad('No machine runs agents: serve starts one here unless it was told --no-local-node')];
  const own = ownersNode(nodes, LOCAL_NODE_NAME);
  return nodes.flatMap(({ nodeId, name, status, providers }): Finding[] => {
    if (status === 'offline') {
      const left = agents.filter((agent) => agent.nodeId === nodeId && agent.sessionId !== null).map(({ id }) => id);
      if (left.length > 0) return [bad(`Node ${name}: offline, with ${left.join(', ')}`)];
      // Others come and go as their people like; that of the relay's own machine is part of its health.
      return [{ verdict: nodeId === own?.nodeId && 'localNode' in health.parts ? 'BAD' : '-', text: `Node ${name}: offline` }];
    }
    return [good(`Node ${name}: online`), ...providerFindings(providers)];
  });
}

interface Beside {
  readonly agents: readonly Agent[];
  readonly health: Health;
}

/** More than these are a catalogue, which has a command of its own. */
const NAMED_MISSING = 3;

function providerFindings(providers: readonly NodeProvider[]): readonly Finding[] {
  const [first, ...others] = providers;
  // Of a machine that starts nothing, as its own file cannot be read, each says the same.
  if (first && others.length > 0 && first.reason !== null && providers.every((each) => !each.available && each.reason === first.reason))
    return [bad(`  nothing can be started there: ${oneLine(first.reason)}`)];
  const missing = providers.flatMap(({ id, available }) => (available ? [] : [id]));
  if (missing.length <= NAMED_MISSING) return providers.map(providerFinding);
  const text = `  not there: ${missing.join(', ')}; agent-relay providers says how to install each`;
  return [...providers.filter(({ available }) => available).map(providerFinding), { verdict: '-', text }];
}

function providerFinding({ id, available, version, reason, runtime }: NodeProvider): Finding {
  // A vendor that is not installed is a choice, not a fault.
  if (!available) return { verdict: '-', text: `  ${id}: ${oneLine(reason ?? 'not available')}` };
  return good(`  ${id}: available${version === null ? '' : `, ${version}`}${runtime === undefined ? '' : `, on ${oneLine(runtime)}`}`);
}

/** Mail that waits beside an agent that could take it. */
async function waitingMail(client: RelayClient, agents: readonly Agent[]): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { id, kind, status, sessionId } of agents) {
    if (kind === 'system' || sessionId === null || status === 'busy' || status === 'offline') continue;
    const { data } = await client.inbox.list({ id, peek: true, limit: 1 });
    const waitedMs = Date.now() - (data[0]?.message.createdAt ?? Number.POSITIVE_INFINITY);
    if (waitedMs > WAITS_TOO_LONG_MS)
      findings.push(bad(`Agent ${id} is ${status}, and mail has waited for it for ${Math.round(waitedMs / 1000)} s`));
  }
  return findings;
}

function relayFinding({ status, version, parts }: Health, url: string): Finding {
  const remarkable = Object.entries(parts).filter(([, part]) => part.status !== 'ok' || part.reason !== undefined);
  const why = remarkable.map(([name, { reason }]) => `${name}${reason === undefined ? '' : `: ${reason}`}`).join('; ');
  const verdict = status === 'ok' ? 'ok' : status === 'starting' ? '?' : 'BAD';
  return { verdict, text: `Relay ${version} at ${url}${why === '' ? '' : `: ${why}`}` };
}
