import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createNodeRelayClient } from 'agent-relay-client/node';
import { freePort, tempHome } from 'agent-relay-testing';
import { processIdentity } from 'agent-relay-wire/node';
import { expect, test } from 'vitest';
import { until } from '../support/until.ts';
import { hasUserManager, startUserManager } from './user-manager.ts';

const isGone = async (pid: number) => (await processIdentity(pid)) === undefined;

test.skipIf(!hasUserManager)(
  "a user's systemd installs, starts, revives, restarts, stops and forgets the relay (needs root and systemd)",
  { timeout: 120_000 },
  async () => {
    await using home = await tempHome();
    await using manager = await startUserManager(home);
    const { agentRelay, property } = manager;
    const port = await freePort();
    const databasePath = join(home.directory, 'relay.db');
    const units = join(home.home, '.config', 'systemd', 'user');
    const enabled = join(units, 'default.target.wants', 'agent-relay.service');
    const url = `http://127.0.0.1:${port}`;
    const envFile = join(home.home, '.config', 'agent-relay', 'agent-relay.env');
    const tokenIn = (text: string) => /^AGENT_RELAY_TOKEN=(\S+)$/mu.exec(text)?.[1] ?? '';
    // A relay that has a token asks for it, also before it says how it is.
    const isUp = () =>
      fetch(`${url}/api/health`, { headers: { authorization: `Bearer ${tokenIn(readFileSync(envFile, 'utf8'))}` } }).then(
        ({ ok }) => ok,
        () => false,
      );
    const mainPid = async () => Number(await property('MainPID'));
    const nodeFile = `${databasePath}.node.json`;
    /** The relay answers a moment before its node is written down. */
    const nodePid = () =>
      until('its node', () => {
        const text = existsSync(nodeFile) ? readFileSync(nodeFile, 'utf8') : '';
        return text === '' ? null : (JSON.parse(text) as { pid: number }).pid;
      });

    expect(await agentRelay('setup', '--yes', '--port', String(port), '--db', databasePath)).toMatchObject({ code: 0 });
    expect(await agentRelay('daemon', 'install', '--enable', '--start', '--yes')).toMatchObject({ code: 0 });
    await until('the relay', isUp);
    expect(existsSync(enabled)).toBe(true);
    expect((await agentRelay('daemon', 'status')).stdout).toContain('active (running)');
    await using client = createNodeRelayClient({ url, token: tokenIn(readFileSync(envFile, 'utf8')) });
    const { id } = await client.messages.send({ to: 'id:Later', body: 'kept' });
    const node = await nodePid();

    const first = await mainPid();
    process.kill(first, 'SIGKILL');
    await until('systemd to revive it', async () => ![0, first].includes(await mainPid()) && (await isUp()));
    expect(await client.messages.get({ id })).toMatchObject({ body: 'kept' });
    // After a crash the machine's node and its agents have lived on.
    expect([await nodePid(), await isGone(node)]).toEqual([node, false]);

    const second = await mainPid();
    expect(await agentRelay('daemon', 'restart')).toMatchObject({ code: 0 });
    await until('the restarted relay', isUp);
    expect(await mainPid()).not.toBe(second);

    const last = await nodePid();
    expect(await agentRelay('daemon', 'stop')).toMatchObject({ code: 0 });
    expect([await isUp(), await isGone(last), await property('ActiveState')]).toEqual([false, true, 'inactive']);

    appendFileSync(envFile, 'RETENTION_DAYS=soon\n');
    await agentRelay('daemon', 'start');
    await until('systemd to give up what is misconfigured', async () => (await property('ActiveState')) === 'failed');
    expect(await property('NRestarts')).toBe('0');

    expect(await agentRelay('daemon', 'disable')).toMatchObject({ code: 0 });
    expect(existsSync(enabled)).toBe(false);
    expect(await agentRelay('daemon', 'uninstall', '--yes')).toMatchObject({ code: 0 });
    expect([existsSync(join(units, 'agent-relay.service')), await property('LoadState')]).toEqual([false, 'not-found']);
    expect(existsSync(databasePath)).toBe(true);
  },
);
