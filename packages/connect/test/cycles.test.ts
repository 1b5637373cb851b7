import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { LinesProvider } from 'agent-relay-lines';
import { environmentOfSync } from 'agent-relay-wire/node';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTestRelay } from '../../server/src/testing.ts';
import { Api, until, World } from './link-world.ts';

/** `AGENT_RELAY_TEST_CYCLES=1000` tries as many. */
const CYCLES = Number(process.env['AGENT_RELAY_TEST_CYCLES'] ?? 12);
const AT_ONCE = 4;
/** What another run has left is none of this one's. */
const prefix = `cycle-${randomUUID().slice(0, 8)}-`;

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.close());

/** A small command line: says what it is told, and either ends or has something running that does not end by itself. */
const small = (id: string, script: string) =>
  new LinesProvider({
    ...{ id, name: id, command: '/bin/bash', args: ['-c', script], install: 'it is there', environment: [], output: 'text' },
    evidence: 'documented',
  });

/** Every process that was started for an agent of this test. */
const processes = (): string[] =>
  readdirSync('/proc').filter(
    (pid) => /^\d+$/u.test(pid) && environmentOfSync(Number(pid))?.some((line) => line.startsWith(`AGENT_RELAY_AGENT_ID=${prefix}`)),
  );

test(`${CYCLES} agents of small command lines that come and go leave no process, socket or file behind`, {
  timeout: 60_000 + CYCLES * 4_000,
}, async () => {
  const relay = await startTestRelay();
  world.onClose(() => relay.close());
  const cwd = join(realpathSync(world.folder), 'work');
  mkdirSync(cwd);
  const providers = [small('brief', 'cat'), small('stays', 'cat; (sleep 1000 & sleep 1000)')];
  await world.node(relay.url, relay.ownerToken, { providers });
  const api = new Api(relay.url, relay.ownerToken);
  await api.nodeOnline();
  const left = () => ({
    processes: processes(),
    sockets: readdirSync('/proc/self/fd').length,
    files: readdirSync(join(world.folder, 'node'), { recursive: true, encoding: 'utf8' }).sort(),
    inFolder: readdirSync(cwd),
  });

  const cycle = async (number: number) => {
    const name = `${prefix}${number}`;
    await api.spawn(name, { provider: number % 2 === 0 ? 'brief' : 'stays', mode: 'unrestricted', cwd, task: `hello ${number}` });
    if (number % 2 === 1) await until(async () => expect((await api.agent(name)).status).toBe('busy'));
    await api.call('POST', `/agents/${name}/release`, {});
  };
  const round = async (from: number, to: number) => {
    for (let number = from; number < to; number += AT_ONCE)
      await Promise.all(Array.from({ length: Math.min(AT_ONCE, to - number) }, (_, index) => cycle(number + index)));
  };

  // Connections that are kept open for the next call are there after the first.
  await round(0, AT_ONCE * 2);
  await until(() => expect(left().processes).toEqual([]));
  await until(() => expect(left().files.filter((path) => path.startsWith('activity/'))).toEqual([]));
  const before = left();
  await round(AT_ONCE * 2, AT_ONCE * 2 + CYCLES);
  await until(() => {
    const after = left();
    expect({ ...after, sockets: 0 }).toEqual({ ...before, sockets: 0 });
    expect(after.sockets).toBeLessThanOrEqual(before.sockets);
  });
});
