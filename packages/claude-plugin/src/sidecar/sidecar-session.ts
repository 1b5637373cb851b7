import { randomUUID } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AgentIdentity, agentIdentity, fetchTo, proxyOnTheWay } from 'agent-relay-client/node';
import { KnownReservations, messageOf } from 'agent-relay-protocol';
import type { Log } from 'agent-relay-wire';
import { writeReserved } from '../reserved-file.ts';
import { dataFolder, makePrivateFolder, type SessionPlace, sessionPlace } from '../session-place.ts';
import { ApprovalQuestions } from './approval-questions.ts';
import { HookDesk } from './hook-desk.ts';
import { serveHooks } from './hook-door.ts';
import { Outbox } from './outbox.ts';
import type { RelayPulse } from './relay-pulse.ts';
import { RelaySide } from './relay-side.ts';
import { RelayTools } from './relay-tools.ts';
import { openSessionMail } from './session-mail.ts';
import { type ShellStanding, shellWords } from './shell-words.ts';
import { LiveTurn } from './turn.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export interface SessionSituation {
  readonly env: Environment;
  readonly claudePid: number;
  readonly cwd: string;
  readonly log: Log;
}

const RETRY_EVERY_MS = 1_000;

/** What a session of Claude Code is at the relay. Who uses the tools before the relay has answered is told so. */
export interface SidecarSession extends AsyncDisposable {
  readonly tools: Pick<RelayTools, 'call'>;
  /** Until the signal aborts, or another session has taken the agent over. */
  run(signal: AbortSignal): Promise<void>;
}

/** Makes a session an agent: its hooks are answered from here on, `run` keeps it at the relay. @throws Error where somebody else has its folder; RelayError as `agentIdentity` does. */
export async function openSidecarSession({
  env,
  claudePid,
  cwd,
  log,
  pulse,
}: SessionSituation & { readonly pulse: RelayPulse }): Promise<SidecarSession> {
  const uid = process.getuid?.();
  const place = sessionPlace({ platform: process.platform, uid, home: homedir(), temporaryFolder: tmpdir(), claudePid });
  makePrivateFolder(place.folder, uid);
  const own = ownEnvironment(env);
  const identity = identityOf({ env: own, cwd: env['CLAUDE_PROJECT_DIR'] || cwd, claudePid });
  const warning = proxyOnTheWay(own['AGENT_RELAY_URL'] ?? '');
  if (warning !== null) log.warn('a proxy can read the token of this session', { reason: warning });
  return makeSession({ env: own, identity, place, claudePid, log, pulse });
}

/** A session that was started from the shell of another is an agent of its own: it has neither the other's name nor its token. */
function ownEnvironment(env: Environment): Environment {
  if (!env['AGENT_RELAY_PLUGIN_SESSION']) return env;
  return { ...env, AGENT_RELAY_ID: undefined, AGENT_RELAY_TOKEN: undefined };
}

function identityOf({
  env,
  cwd,
  claudePid,
}: {
  readonly env: Environment;
  readonly cwd: string;
  readonly claudePid: number;
}): AgentIdentity {
  const sessionKey = env['CLAUDE_CODE_SESSION_ID'] || `process ${claudePid}`;
  return agentIdentity({ cwd, sessionKey, env, provider: 'claude', defaults: { tags: ['claude'], meta: { reserves: true } } });
}

interface Parts {
  readonly env: Environment;
  readonly identity: AgentIdentity;
  readonly place: SessionPlace;
  readonly claudePid: number;
  readonly log: Log;
  readonly pulse: RelayPulse;
}

async function makeSession({ env, identity, place, claudePid, log, pulse }: Parts): Promise<SidecarSession> {
  const data = dataFolder(env, homedir());
  const outbox = openOutbox(join(data, 'outbox', identity.id), log);
  const turn = new LiveTurn();
  const reservations = knownReservations(place, identity.id, log);
  const givenInstance = env['AGENT_RELAY_INSTANCE_ID'];
  const isInBackground = Boolean(givenInstance);
  const tellShells = (standing: ShellStanding) => writeShellFile(place.shellFile, standing, log);
  const { mail, entered, correspondents, began } = openSessionMail({
    ...{ env, data, agentId: identity.id, place, claudePid, outbox, log },
    now: Date.now,
    relay: () => relay,
    conversation: () => desk.conversation,
  });
  const relay: RelaySide = new RelaySide({
    env,
    identity,
    instanceId: givenInstance || randomUUID(),
    isGiven: isInBackground,
    outbox,
    log,
    onMail: (items) => mail.add(items),
    onConnected: ({ url, token, agent: { agent } }) => {
      reservations.timeTold(agent.lastSeenAt);
      tellShells({ id: identity.id, url, token });
      tellMachine(env['AGENT_RELAY_READY_FILE']);
    },
    onHeard: ({ calls }) => void reservations.refresh(calls.reservations.list),
    onRefused: (entry, error) => log.warn('the relay refused what was kept for it', { kind: entry.type, code: error.code }),
  });
  tellShells({ id: identity.id, url: env['AGENT_RELAY_URL'], token: undefined });
  const questions = new ApprovalQuestions({ relay, log });
  const kept = () => outbox.entries.length;
  const { restrictedFile } = place;
  const desk = new HookDesk({ relay, pulse, mail, entered, turn, questions, reservations, kept, isInBackground, restrictedFile, began });
  await entered.recover();
  const door = await serveHooks({ path: place.door, desk, log });
  rmSync(place.startingFile, { force: true });
  const onMail = (ids: readonly number[]) => {
    desk.mailArrived();
    mail.inTool(ids, desk.conversation);
  };
  const tools = new RelayTools({ relay, outbox, fetch: fetchAnywhere, holdMail: () => mail.hold(), onMail });
  const looking = setInterval(() => void mail.retry(), RETRY_EVERY_MS);
  return {
    tools,
    run: (signal: AbortSignal) => relay.run(signal),
    [Symbol.asyncDispose]: async () => {
      clearInterval(looking);
      await door.close();
      await correspondents.close();
      leave(place);
    },
  };
}

/** A turn that is held stays so: this process may be one that `/mcp` starts anew in the middle of it. */
function leave({ door, shellFile, reservedFile, startingFile }: SessionPlace): void {
  for (const path of [door, shellFile, reservedFile, startingFile]) rmSync(path, { force: true });
}

const fetchAnywhere: typeof fetch = (input, init) => fetchTo(input instanceof Request ? input.url : input)(input, init);

/** What is reserved, noted for the hooks as it becomes known. */
function knownReservations({ reservedFile }: SessionPlace, agentId: string, log: Log): KnownReservations {
  const reservations: KnownReservations = new KnownReservations({
    clock: { now: Date.now, elapsedMs: () => performance.now() },
    onFault: (error) => log.debug('what is reserved was not read', { error }),
    onChange: () => noteReserved(reservedFile, { agentId, reservations, log }),
  });
  return reservations;
}

function openOutbox(folder: string, log: Log): Outbox {
  return new Outbox({
    folder,
    now: Date.now,
    onFault: (error) => log.warn('what waits for the relay cannot be written to disk, and is kept in memory', { reason: messageOf(error) }),
    onUnreadable: (path) => log.warn('something that was kept for the relay cannot be read', { path }),
  });
}

function writeShellFile(file: string, standing: ShellStanding, log: Log): void {
  try {
    writeFileSync(file, shellWords(standing), { mode: 0o600 });
  } catch (error) {
    log.warn('the shells of the session cannot be told who it is', { reason: messageOf(error) });
  }
}

interface ReservedNote {
  readonly agentId: string;
  readonly reservations: KnownReservations;
  readonly log: Log;
}

function noteReserved(file: string, { agentId, reservations: { copy }, log }: ReservedNote): void {
  try {
    const aheadMs = copy.aheadMs + performance.now() - Date.now();
    writeReserved(file, { agentId, reservations: copy.reservations, aheadMs });
  } catch (error) {
    log.debug('what is reserved cannot be noted', { error });
  }
}

/** A machine that started this session in the background waits for it to be an agent. It looks no more once it has seen so, and the folder may be gone. */
function tellMachine(readyFile: string | undefined): void {
  if (readyFile) {
    try {
      writeFileSync(readyFile, `${process.pid}\n`, { mode: 0o600 });
    } catch {
      // The machine has seen it before, and has taken the folder away.
    }
  }
}
