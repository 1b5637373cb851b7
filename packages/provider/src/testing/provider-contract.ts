import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RelayError } from 'agent-relay-protocol';
import { describe, expect, test } from 'vitest';
import { brokenAbilities } from './ability-rules.ts';
import { answerContract } from './approval-contract.ts';
import { type ContractStage, isRunning, type SharedStage, stageForAll, stageForEach } from './contract-stage.ts';
import type { EventLog } from './event-log.ts';
import { editingContract, modeContract } from './mode-contract.ts';
import type { ProviderAbilities, ProviderHarness } from './provider-harness.ts';

/**
 * What every provider fulfils, asked of the vendor's real program with a fake model behind it. What may be asked in one session is; every other test
 * gets a harness of its own. In the end the events of every session are held against the contract's rules, and no process may be left.
 */
export function providerContract(name: string, abilities: ProviderAbilities, makeHarness: () => Promise<ProviderHarness>): void {
  describe(`${name}: provider contract`, { timeout: 180_000 }, () => {
    describe('in one session', () => conversationContract({ ...stageForAll(abilities, makeHarness), abilities }));
    describe('from its start to its end', () => lifeContract({ ...stageForEach(abilities, makeHarness), abilities }));
  });
}

type OnStage<Stage> = Stage & { readonly abilities: ProviderAbilities };

/** The strongest states come one after another; a vendor may claim fewer, never other ones. */
async function expectEvidence({ strongestEvidence }: ProviderAbilities, log: EventLog, messageId: number): Promise<void> {
  if (strongestEvidence !== 'none') {
    await log.waitFor('input.accepted', (event) => event.messageId === messageId && event.state === strongestEvidence);
  }
  const states = log.ofType('input.accepted').flatMap((event) => (event.messageId === messageId ? [event.state] : []));
  expect(['delivered', 'seen'].filter((state) => states.some((said) => said === state))).toEqual(states);
}

/** The model works on a turn. */
const working = ({ streamsText }: ProviderAbilities, log: EventLog) =>
  streamsText === false ? log.waitFor('turn.started') : log.waitFor('text.delta');

function conversationContract({ start, harness, abilities }: OnStage<SharedStage>): void {
  test('says of itself what this suite holds it to', () => {
    expect(brokenAbilities(harness().provider, abilities)).toEqual([]);
  });

  test('finds the program and its version', async () => {
    const { runtime, ...found } = { runtime: '', ...(await harness().provider.detect(harness().env)) };
    expect(found).toEqual({ available: true, version: expect.stringMatching(/\d+\.\d+/), command: expect.any(String) });
    expect(runtime).toEqual(expect.any(String));
  });

  test('a prompt becomes one turn with its text, and its message is confirmed once per state', async () => {
    const { session, log } = await start();
    await session.prompt({ text: harness().prompts.say('The answer is 42.'), messageIds: [7] }, { mode: 'next' });
    const end = await log.waitForTurnEnd();
    expect(end).toMatchObject({ type: 'turn.completed', outcome: 'finished' });
    await expectEvidence(abilities, log, 7);
    const order = log.events.map(({ type }) => type);
    expect(order.indexOf('session.started')).toBeGreaterThanOrEqual(0);
    expect(order.indexOf('turn.started')).toBeGreaterThan(order.indexOf('session.started'));
    const said = log.ofType('text.completed').find(({ text }) => text.includes('The answer is 42.'));
    expect(said).toMatchObject({ turnId: end.turnId });
    expect(order.indexOf('text.completed')).toBeLessThan(log.events.indexOf(end));
    expect(session.vendorSessionId).toEqual(expect.any(String));
    await log.waitFor('session.status', ({ status }) => status === 'idle');
  });

  if (abilities.streamsText ?? true)
    test('the text streams as deltas that add up to the whole', async () => {
      const { session, log } = await start();
      await session.prompt({ text: harness().prompts.say('one two three four five six'), messageIds: [] }, { mode: 'next' });
      await log.waitForTurnEnd();
      const whole = log.ofType('text.completed').find(({ text }) => text.includes('one two three'));
      const streamed = log.ofType('text.delta').flatMap((delta) => (delta.itemId === whole?.itemId ? [delta.text] : []));
      expect(streamed.join('')).toBe(whole?.text);
    });

  test('two prompts one after the other are two turns of one conversation', async () => {
    const { session, log } = await start();
    await session.prompt({ text: harness().prompts.say('first answer'), messageIds: [1] }, { mode: 'next' });
    await log.waitForTurnEnd();
    const after = log.events.length;
    await session.prompt({ text: harness().prompts.say('second answer'), messageIds: [2] }, { mode: 'next' });
    await log.waitForTurnEnd(after);
    await expectEvidence(abilities, log, 1);
    await expectEvidence(abilities, log, 2);
    expect(new Set(log.ofType('turn.started').map(({ turnId }) => turnId)).size).toBe(2);
    expect(harness().wasModelSent('first answer')).toBe(true);
  });

  test('`urgent` stops the running turn and is answered next', async () => {
    const { session, log } = await start();
    await session.prompt({ text: harness().prompts.slow, messageIds: [] }, { mode: 'next' });
    await working(abilities, log);
    const [begun] = log.ofType('turn.started');
    await session.prompt({ text: harness().prompts.say('at once'), messageIds: [13] }, { mode: 'urgent' });
    await log.waitFor('text.completed', ({ text }) => text.includes('at once'));
    expect(log.ofType('turn.completed')).toContainEqual(expect.objectContaining({ turnId: begun?.turnId, outcome: 'interrupted' }));
    await expectEvidence(abilities, log, 13);
  });

  test('`fyi` is known to the model at its next turn', async () => {
    const { session, log } = await start();
    await session.prompt({ text: 'For your information: the door is green.', messageIds: [14] }, { mode: 'fyi' });
    if (abilities.addsContextOnly) {
      await session.prompt({ text: harness().prompts.say('thanks'), messageIds: [] }, { mode: 'next' });
      await log.waitFor('text.completed', ({ text }) => text.includes('thanks'));
      expect(log.ofType('turn.started')).toHaveLength(1);
    }
    await expect.poll(() => harness().wasModelSent('the door is green'), { timeout: 60_000 }).toBe(true);
    await log.waitForTurnEnd();
    await expectEvidence(abilities, log, 14);
  });

  test('interrupting stops the running turn, and the session goes on', async () => {
    const { session, log } = await start();
    expect(await session.interrupt()).toBe(false);
    await session.prompt({ text: harness().prompts.slow, messageIds: [] }, { mode: 'next' });
    await working(abilities, log);
    expect(await session.interrupt()).toBe(true);
    expect(await log.waitForTurnEnd()).toMatchObject({ type: 'turn.completed', outcome: 'interrupted' });
    const after = log.events.length;
    await session.prompt({ text: harness().prompts.say('still here'), messageIds: [] }, { mode: 'next' });
    expect(await log.waitForTurnEnd(after)).toMatchObject({ type: 'turn.completed', outcome: 'finished' });
  });

  editingContract({ start, harness, abilities });

  test('`next` during a turn lets the turn finish and then reaches the model', async () => {
    const { session, log } = await start('unrestricted');
    await session.prompt({ text: harness().prompts.runCommand('sleep 1'), messageIds: [] }, { mode: 'next' });
    await log.waitFor('tool.started');
    await session.prompt({ text: harness().prompts.say('after the turn'), messageIds: [11] }, { mode: 'next' });
    await log.waitFor('text.completed', ({ text }) => text.includes('after the turn'));
    await expectEvidence(abilities, log, 11);
    expect(log.ofType('tool.completed')).toContainEqual(expect.objectContaining({ outcome: 'succeeded' }));
  });

  test('`now` during a turn reaches the model', async () => {
    const { session, log } = await start('unrestricted');
    await session.prompt({ text: harness().prompts.runCommand('sleep 1'), messageIds: [] }, { mode: 'next' });
    const { turnId } = await log.waitFor('tool.started');
    const text = harness().prompts.say('steered');
    await session.prompt({ text, messageIds: [12] }, { mode: 'now' });
    await expectEvidence(abilities, log, 12);
    await expect.poll(() => harness().wasModelSent(text), { timeout: 60_000 }).toBe(true);
    if (abilities.steersRunningTurn)
      expect(log.ofType('turn.completed').filter((end) => end.turnId === turnId && end.outcome === 'interrupted')).toEqual([]);
    await log.waitFor('text.completed', (said) => said.text.includes('steered'));
  });

  if (!abilities.isFreeOnly && (abilities.asksPeople ?? true)) answerContract({ start, harness });
}

function lifeContract({ start, options, harness, processes, abilities }: OnStage<ContractStage>): void {
  test('says how to install a program that is missing, and starts no session without it', async () => {
    const { provider, env } = harness().notInstalled;
    const found = await provider.detect(env);
    expect(found).toEqual({ available: false, reason: expect.stringMatching(/not installed.*install/i) });
    const refusal = await provider.start({ ...options(), env }).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(refusal).toBeInstanceOf(RelayError);
    expect(refusal).toMatchObject({ code: 'provider_unavailable', message: expect.stringMatching(/install/i) });
    await provider.close();
    expect(processes()).toEqual([]);
  });

  modeContract({ start, harness, abilities, started: () => processes().length });

  const killInMidTurn = async () => {
    const { session, log } = await start();
    await session.prompt({ text: harness().prompts.slow, messageIds: [] }, { mode: 'next' });
    await working(abilities, log);
    const victim = processes().at(-1);
    expect(victim).toBeDefined();
    if (victim) process.kill(victim.pid, 'SIGKILL');
    await log.waitFor('turn.failed');
    return { session, log };
  };
  const oneCrash = [expect.objectContaining({ error: expect.objectContaining({ code: 'agent_crashed' }) })];

  const goesOn = async () => {
    const { session, log } = await killInMidTurn();
    const after = log.events.length;
    await session.prompt({ text: harness().prompts.say('still here'), messageIds: [17] }, { mode: 'next' });
    expect(await log.waitForTurnEnd(after)).toMatchObject({ type: 'turn.completed', outcome: 'finished' });
    await expectEvidence(abilities, log, 17);
    expect([log.ofType('turn.failed'), log.ofType('session.ended')]).toEqual([oneCrash, []]);
  };

  const ends = async () => {
    const { session, log } = await killInMidTurn();
    await log.finished;
    expect(log.ofType('turn.failed')).toEqual(oneCrash);
    expect(log.events.at(-1)).toMatchObject({ type: 'session.ended', reason: 'crashed' });
    await expect(session.prompt({ text: 'anyone?', messageIds: [] }, { mode: 'next' })).rejects.toMatchObject({
      code: 'connection_closed',
    });
    await expect(session.interrupt()).rejects.toMatchObject({ code: 'connection_closed' });
  };

  if (abilities.outlivesItsProgram) test('a killed program fails the running turn, and the session goes on with another', goesOn);
  else test('a killed program fails the running turn and ends the session', ends);

  test('closing ends the running turn, may be repeated, and leaves nothing that can be prompted', async () => {
    const { session, log } = await start();
    await session.prompt({ text: harness().prompts.slow, messageIds: [] }, { mode: 'next' });
    await working(abilities, log);
    await Promise.all([session.close(), session.close()]);
    await session.close();
    await log.finished;
    expect(log.events.at(-1)).toMatchObject({ type: 'session.ended', reason: 'closed' });
    expect(log.ofType('turn.completed')).toEqual([expect.objectContaining({ outcome: 'interrupted' })]);
    await expect(session.prompt({ text: 'anyone?', messageIds: [] }, { mode: 'next' })).rejects.toMatchObject({
      code: 'connection_closed',
    });
  });

  test('closing ends a command that the agent is running', async () => {
    const { session, log } = await start('unrestricted');
    const pidFile = join(harness().cwd, 'pid.txt');
    await session.prompt({ text: harness().prompts.runCommand(`echo $$ > ${pidFile}; sleep 300`), messageIds: [] }, { mode: 'next' });
    await log.waitFor('tool.started', ({ kind }) => kind === 'execute');
    await expect.poll(() => existsSync(pidFile) && readFileSync(pidFile, 'utf8').trim(), { timeout: 60_000 }).toMatch(/^\d+$/);
    const pid = Number(readFileSync(pidFile, 'utf8'));
    expect(isRunning(pid)).toBe(true);
    await session.close();
    await harness().provider.close();
    await expect.poll(() => isRunning(pid), { timeout: 60_000 }).toBe(false);
  });

  test('closing the provider closes its sessions', async () => {
    const { log } = await start();
    await harness().provider.close();
    await log.finished;
    expect(log.events.at(-1)).toMatchObject({ type: 'session.ended', reason: 'closed' });
  });

  if (abilities.startsProgram ?? true) {
    test('closing the provider gives up what is being started, waits until it is gone, and nothing starts after it', async () => {
      let closing: Promise<void> | undefined;
      const starting = harness().provider.start({
        ...options(),
        onProcess: (owned) => {
          processes().push(owned);
          closing ??= harness().provider.close();
        },
      });
      await expect(starting).rejects.toMatchObject({ code: 'connection_closed' });
      await closing;
      expect(processes().map(({ pid }) => isRunning(pid))).toEqual([false]);
      await expect(harness().provider.start(options())).rejects.toMatchObject({ code: 'connection_closed' });
      expect(processes()).toHaveLength(1);
    });

    test('aborting gives the start up and leaves no process', async () => {
      const controller = new AbortController();
      const starting = harness().provider.start({
        ...options(),
        signal: controller.signal,
        onProcess: (owned) => {
          processes().push(owned);
          controller.abort(new Error('changed my mind'));
        },
      });
      await expect(starting).rejects.toThrow('changed my mind');
      await harness().provider.close();
      for (const { pid } of processes()) await expect.poll(() => isRunning(pid), { timeout: 60_000 }).toBe(false);
      expect(processes().length).toBeGreaterThan(0);
    });
  }

  test('a start whose signal has aborted already does nothing', async () => {
    const signal = AbortSignal.abort(new Error('too late'));
    await expect(harness().provider.start({ ...options(), signal })).rejects.toThrow('too late');
    expect(processes()).toEqual([]);
  });
}
