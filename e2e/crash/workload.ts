import type { RelayEvent } from 'agent-relay-protocol';
import { sleep } from 'agent-relay-wire';
import type { AcceptedCompletion, AcknowledgedSend, Histories, InboxStep } from './history.ts';
import { type Access, Persistent, RETRY_MS } from './persistent.ts';

export interface WorkloadOptions extends Access {
  readonly senders: number;
  readonly racers: number;
  readonly readers: number;
  readonly inboxes: number;
}

export interface Workload {
  /** How much was acknowledged so far; a harness that made none proved nothing. */
  readonly counts: () => { readonly sends: number; readonly acknowledgements: number; readonly completions: number };
  /** Stops making work, lets everything in hand finish against the running relay, and hands over what the clients saw. */
  finish(): Promise<Histories>;
}

/** Senders, racers for claims, inbox deliverers and log readers, all at once, until `finish`. */
export async function startWorkload({ url, token, senders, racers, readers, inboxes }: WorkloadOptions): Promise<Workload> {
  const sends: AcknowledgedSend[] = [];
  const completions: AcceptedCompletion[] = [];
  const inboxSteps = new Map<string, InboxStep[]>();
  const readerEvents = new Map<string, { from: number; events: RelayEvent[] }>();
  let isRunning = true;
  const control = new Persistent({ url, token });
  const mailNames = Array.from({ length: inboxes }, (_, index) => `mail${index}`);
  const racerNames = Array.from({ length: racers }, (_, index) => `racer${index}`);
  for (const name of mailNames) await control.call('agents/register', { name, instanceId: `${name}-1` });
  for (const name of racerNames) await control.call('agents/register', { name, tags: ['pool'], instanceId: `${name}-1` });

  const openReader = (name: string) => {
    const seen = { from: 0, events: [] as RelayEvent[] };
    readerEvents.set(name, seen);
    return new Persistent({
      url,
      token,
      onNotice: ({ method, params }) => {
        if (method === 'events/next') seen.events.push(...(params.events ?? []));
      },
      onOpen: async (peer) => {
        await peer.request('events/subscribe', { after: seen.events.at(-1)?.seq ?? seen.from }, { timeoutMs: 5_000 });
      },
    });
  };

  const openInbox = (name: string) => {
    const steps: InboxStep[] = [];
    inboxSteps.set(name, steps);
    const inbox: Persistent = new Persistent({
      url,
      token,
      onNotice: ({ method, params }) => {
        if (method !== 'inbox/next') return;
        const ids = (params.items ?? []).map(({ message }) => message.id);
        for (const id of ids) steps.push({ step: 'received', id });
        acknowledge(name, ids).catch(() => {}); // stopped: what was not acknowledged is not claimed to be
      },
      onOpen: async (peer) => {
        await peer.request('inbox/subscribe', { id: name, instanceId: `${name}-1`, window: 256 }, { timeoutMs: 5_000 });
      },
    });
    const acknowledge = async (id: string, ids: readonly number[]) => {
      const answer = await inbox.call<{ acknowledged: number[] }>('inbox/ack', { id, ids });
      for (const acknowledged of answer.acknowledged) steps.push({ step: 'acknowledged', id: acknowledged });
    };
    return inbox;
  };

  const runSender = async (name: string) => {
    const client = new Persistent({ url, token });
    for (let turn = 0; isRunning; turn += 1) {
      const batch = Array.from({ length: 8 }, async (_, slot) => {
        const key = `${name}-${turn}-${slot}`;
        const target = slot === 0 ? { to: 'tag:pool', claimable: true } : { to: `id:${mailNames[(turn + slot) % mailNames.length]}` };
        const { id } = await client.call<{ id: number }>('messages/send', { ...target, body: key, idempotencyKey: key });
        sends.push({ key, id, body: key });
      });
      await Promise.all(batch);
    }
    await client.stop();
  };

  const runRacer = async (name: string) => {
    const client = new Persistent({ url, token });
    while (isRunning) {
      const work = await client.call<{ data: { message: { id: number } }[] }>('work/list', { for: name, limit: 5 });
      if (work.data.length === 0) await sleep(RETRY_MS);
      for (const { message } of work.data) {
        const claim = await client.attempt<{ claimId: string; fence: number; status: string }>('messages/claim', {
          id: message.id,
          agentId: name,
        });
        if (claim?.status !== 'held') continue;
        const done = await client.attempt('claims/complete', { id: claim.claimId, fence: claim.fence, agentId: name, result: name });
        if (done !== null) completions.push({ subjectId: message.id, fence: claim.fence, racer: name });
      }
    }
    await client.stop();
  };

  const streams = [...Array.from({ length: readers }, (_, index) => openReader(`reader${index}`)), ...mailNames.map(openInbox)];
  await Promise.all(streams.map((stream) => stream.connected()));
  const loops = [...Array.from({ length: senders }, (_, index) => runSender(`sender${index}`)), ...racerNames.map(runRacer)];
  const failure = Promise.all(loops);
  failure.catch(() => {}); // told by finish()

  return {
    counts: () => ({
      sends: sends.length,
      acknowledgements: [...inboxSteps.values()].reduce(
        (sum, steps) => sum + steps.filter(({ step }) => step === 'acknowledged').length,
        0,
      ),
      completions: completions.length,
    }),
    async finish() {
      isRunning = false;
      await failure;
      const { cursor } = await control.call<{ cursor: number }>('messages/cursor', {});
      const log = await readWholeLog(url, token, cursor);
      const deadline = Date.now() + 60_000;
      const isBehind = () => [...readerEvents.values()].some(({ events }) => (events.at(-1)?.seq ?? 0) < cursor);
      while (isBehind() && Date.now() < deadline) await sleep(RETRY_MS);
      await Promise.all([...streams, control].map((stream) => stream.stop()));
      const upTo = (events: readonly RelayEvent[]) => events.filter(({ seq }) => seq <= cursor);
      const read = [...readerEvents].map(([name, { from, events }]) => [name, { from, events: upTo(events) }] as const);
      return { sends, inboxes: inboxSteps, completions, readers: new Map(read), log };
    },
  };
}

async function readWholeLog(url: string, token: string, cursor: number): Promise<readonly RelayEvent[]> {
  const events: RelayEvent[] = [];
  let arrived = () => {};
  const whole = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  const client = new Persistent({
    url,
    token,
    onNotice: ({ params }) => {
      events.push(...(params.events ?? []));
      if ((events.at(-1)?.seq ?? 0) >= cursor) arrived();
    },
    onOpen: async (peer) => {
      events.length = 0;
      await peer.request('events/subscribe', { after: 0 }, { timeoutMs: 5_000 });
    },
  });
  await client.connected();
  if (cursor > 0) await whole;
  await client.stop();
  return events.filter(({ seq }) => seq <= cursor);
}
