import { randomUUID } from 'node:crypto';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { messageOf, RelayError } from 'agent-relay-protocol';
import type { Log } from 'agent-relay-wire';
import type { SessionPlace } from '../session-place.ts';
import { Correspondents } from './correspondents.ts';
import { type ClaudeConversation, EnteredMail } from './entered-mail.ts';
import { MailDesk } from './mail-desk.ts';
import type { Outbox } from './outbox.ts';
import type { RelaySide, SessionLink } from './relay-side.ts';
import { SessionInbox } from './session-inbox.ts';
import { openTakenUnheard } from './taken-unheard.ts';
import { findTranscript } from './transcript.ts';

export interface SessionMailOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The plugin's own folder. */
  readonly data: string;
  readonly agentId: string;
  readonly place: SessionPlace;
  readonly claudePid: number;
  readonly outbox: Outbox;
  readonly log: Log;
  readonly now: () => number;
  /** Asked for once mail moves. */
  readonly relay: () => Pick<RelaySide, 'wake' | 'link'>;
  readonly conversation: () => ClaudeConversation;
}

/** The session's mail, with what earlier processes left of it. */
export function openSessionMail(options: SessionMailOptions) {
  const { env, outbox, log, now, place, relay } = options;
  const socketPath = env['CLAUDE_CODE_MESSAGING_SOCKET'];
  const keepRead = (ids: readonly number[]) => {
    const waiting = new Set(outbox.entries.flatMap(({ entry }) => (entry.type === 'seen' ? [entry.messageId] : [])));
    for (const messageId of ids) if (!waiting.has(messageId)) outbox.add({ type: 'seen', messageId });
    relay().wake();
  };
  const correspondents = new Correspondents({
    socketPath: (n) => place.replySocket(n),
    onAnswer: ({ replyTo, text }) => {
      keepAnswer(outbox, { replyTo, text }, log);
      relay().wake();
    },
    onStatus: ({ id, status, reason }) => mail.statusOf(id, status, reason),
  });
  const projects = join(env['CLAUDE_CONFIG_DIR'] || join(homedir(), '.claude'), 'projects');
  const transcriptOf = (conversation: string) => findTranscript(conversation, projects);
  const conversation = env['CLAUDE_CODE_SESSION_ID'] ?? '';
  const entered = openEntered(options, {
    conversation,
    findTranscript: transcriptOf,
    onRead: (ids) => {
      for (const id of ids) mail.remember(id);
      keepRead(ids);
    },
    onLost: (ids, reason) => {
      for (const id of ids) mail.lose(id);
      for (const messageId of ids) outbox.add({ type: 'lost', messageId, reason });
      relay().wake();
    },
  });
  const mail = new MailDesk({
    inbox: socketPath ? new SessionInbox({ socketPath, token: env['CLAUDE_CODE_MESSAGING_TOKEN'] }) : null,
    correspondents,
    entered,
    conversation: options.conversation,
    now,
    onSeen: keepRead,
    onRefused: (ids, reason) => void refuse(relay().link, ids, reason),
  });
  for (const { entry } of outbox.entries) {
    if (entry.type === 'seen') mail.remember(entry.messageId);
    if (entry.type === 'lost') mail.lose(entry.messageId);
  }
  return { mail, entered, correspondents, began: { conversation, transcript: transcriptOf(conversation) } };
}

function openEntered(
  { data, agentId, claudePid, log, now }: SessionMailOptions,
  given: Pick<ConstructorParameters<typeof EnteredMail>[0], 'onRead' | 'onLost' | 'conversation' | 'findTranscript'>,
): EnteredMail {
  const entered = new EnteredMail({
    ...given,
    path: join(data, 'entered', `${agentId}.json`),
    claudePid,
    onFault: (error) => log.warn('what the session takes in cannot be noted: a kill may have it come twice', { reason: messageOf(error) }),
  });
  const unheard = openTakenUnheard({ data, claudePids: [claudePid, ...entered.claudePids], now: now() });
  entered.takenUnheard(unheard.mail);
  // Noted now, as far as it was pushed.
  unheard.forget();
  return entered;
}

/** What the model answers goes to nobody who could be told that there is no room for it. */
function keepAnswer(outbox: Outbox, { replyTo, text }: { readonly replyTo: number; readonly text: string }, log: Log): void {
  try {
    outbox.add({ type: 'send', message: { replyTo, body: text.slice(0, LONGEST_ANSWER), idempotencyKey: randomUUID() } });
  } catch (error) {
    if (!(error instanceof RelayError)) throw error;
    log.warn('an answer of the session is not kept', { replyTo, reason: error.message });
  }
}

/** The relay takes no longer text. */
const LONGEST_ANSWER = 60_000;

async function refuse(link: SessionLink | null, ids: readonly number[], reason: string): Promise<void> {
  if (link === null) return;
  const { calls, agent } = link;
  const reports = ids.map((messageId) => ({ messageId, state: 'failed' as const, reason: reason.slice(0, 1_000) }));
  // What does not arrive comes again with the next mail, and is refused again.
  await calls.deliveries.report({ id: agent.id, instanceId: agent.instanceId, epoch: agent.epoch, reports }).catch(() => {});
}
