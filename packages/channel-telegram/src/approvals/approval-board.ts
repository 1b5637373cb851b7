import { type Approval, type ApprovalAnswer, RelayError } from 'agent-relay-protocol';
import { type Log, Pauses } from 'agent-relay-wire';
import type { CallbackQuery, Message, User } from 'grammy/types';
import type { ChannelPort } from '../channel-port.ts';
import type { ApprovalPosts, Post, StateFile } from '../state-file.ts';
import type { ChatSender } from '../telegram/chat-sender.ts';
import { TelegramFatal } from '../telegram/chat-sender.ts';
import { nameOf } from '../telegram/names.ts';
import { type Place, placeOf } from '../telegram/place.ts';
import { answersOf, questionKeyboard, readPress, readReply } from './approval-answers.ts';
import type { ApprovalSource } from './approval-source.ts';
import { approvalKey, outcomeText, questionText, type Standing } from './approval-text.ts';

export interface ApprovalBoardOptions {
  readonly source: ApprovalSource;
  readonly port: Pick<ChannelPort, 'bindings'>;
  readonly sender: Pick<ChatSender, 'send' | 'edit'>;
  readonly state: Pick<StateFile, 'approvals' | 'setApproval' | 'forgetApproval'>;
  /** Shows the person who pressed a button what came of it. */
  readonly answerPress: (id: string, text: string) => Promise<void>;
  readonly allowedChats: ReadonlySet<number>;
  readonly approvalChats: ReadonlySet<number>;
  readonly approvers: ReadonlySet<number> | null;
  readonly log: Log;
}

interface Decision {
  readonly posts: ApprovalPosts;
  readonly answer: ApprovalAnswer;
  readonly from: User;
  /** What the person reads when it is done. */
  readonly done: (approval: Approval) => string;
}

/** Of questions that an earlier version of this channel posted. */
const plainAnswers: Readonly<Record<string, ApprovalAnswer>> = { allow: { outcome: 'allow' }, deny: { outcome: 'deny' } };
const notYours = 'You are not among those who may decide this.';

/** Shows what agents ask in the chats, takes the answers, and shows how it ended, wherever it was decided. */
export class ApprovalBoard {
  readonly #options: ApprovalBoardOptions;
  /** Presses the relay was told of: who it was that decided, or null when the relay did not take it. */
  readonly #presses = new Map<string, Promise<string | null>>();

  constructor(options: ApprovalBoardOptions) {
    this.#options = options;
  }

  /** Until the signal. Ends by itself when the relay's token may not see approvals. @throws TelegramFatal */
  async run(signal: AbortSignal): Promise<void> {
    const { source, log } = this.#options;
    const pauses = new Pauses();
    while (!signal.aborted) {
      try {
        const { approvals, cursor } = await source.pending();
        pauses.reset();
        await this.#catchUp(approvals);
        for await (const approval of source.follow(cursor, signal)) await this.#show(approval);
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof TelegramFatal || !(error instanceof RelayError)) throw error;
        if (['unauthorized', 'forbidden', 'forbidden_scope'].includes(error.code)) {
          return log.warn(
            'approvals are not shown: the relay token needs approvals:read and approvals:write, which one of kind channel has',
            { error },
          );
        }
        log.warn('approvals cannot be followed, trying again', { error });
      }
      await pauses.take({ signal });
    }
  }

  /** Somebody pressed a button of ours, or one that looks so. */
  async press(query: CallbackQuery): Promise<void> {
    await this.#options.answerPress(query.id, await this.#decide(query));
  }

  /** What to say to a reply that is an answer; null for one that is none, and for a text that answers nothing of ours. */
  async reply({ chat, from, text }: Pick<Message, 'chat' | 'from' | 'text'>, repliedTo: number): Promise<string | null> {
    const found = [...this.#options.state.approvals].find(([, { posts }]) =>
      posts.some(({ chatId, messageId }) => chatId === chat.id && messageId === repliedTo),
    );
    if (found === undefined || from === undefined) return null;
    const [key, posts] = found;
    const answer = readReply(posts, text ?? '');
    if (answer === null) return null;
    if (!this.#mayDecide(from.id, chat)) return notYours;
    return this.#resolve(key, { posts, answer, from, done: () => 'Answered.' });
  }

  async #decide({ data, from, message }: CallbackQuery): Promise<string> {
    const { allowedChats, state } = this.#options;
    const press = readPress(data);
    if (press === null || message === undefined || !allowedChats.has(message.chat.id)) return 'This button does nothing.';
    if (!this.#mayDecide(from.id, message.chat)) return notYours;
    const posts = state.approvals.get(press.key);
    if (posts === undefined) return 'This is no longer open.';
    const answer = posts.presses[press.word] ?? plainAnswers[press.word];
    if (answer === undefined) return 'This button does nothing.';
    const done = ({ status }: Approval) => (status === 'allowed' ? (answer.answers ? 'Answered.' : 'Allowed.') : 'Denied.');
    return this.#resolve(press.key, { posts, answer, from, done });
  }

  async #resolve(key: string, { posts, answer, from, done }: Decision): Promise<string> {
    const resolved = this.#options.source.resolve(posts, answer, from.id);
    const decidedBy = resolved.then(
      () => nameOf(from),
      () => null,
    );
    this.#presses.set(key, decidedBy);
    try {
      return done(await resolved);
    } catch (error) {
      if (this.#presses.get(key) === decidedBy) this.#presses.delete(key);
      if (!(error instanceof RelayError)) throw error;
      if (error.retryable) return 'The relay cannot be reached at the moment. Please press again in a while.';
      return `The relay said no: ${error.message}`.slice(0, 200);
    }
  }

  #mayDecide(userId: number, chat: { readonly id: number; readonly type: string }): boolean {
    const { approvers } = this.#options;
    return approvers === null ? chat.type === 'private' && chat.id === userId : approvers.has(userId);
  }

  async #catchUp(pending: readonly Approval[]): Promise<void> {
    const { state, source } = this.#options;
    const open = new Set(pending.map(approvalKey));
    for (const [key, posts] of [...state.approvals]) {
      if (!open.has(key)) await this.#end((await source.find(posts)) ?? { ...posts, status: 'cancelled', by: null });
    }
    for (const approval of pending) await this.#show(approval);
  }

  #show(approval: Approval): Promise<void> {
    return approval.status === 'pending' ? this.#post(approval) : this.#end(approval);
  }

  async #post(approval: Approval): Promise<void> {
    const { state, sender, log } = this.#options;
    const key = approvalKey(approval);
    const question = questionText(approval);
    const { agentId, approvalId } = approval;
    const known = state.approvals.get(key)?.posts ?? [];
    const posts: Post[] = [...known];
    for (const place of await this.#placesFor(agentId)) {
      if (known.some(({ chatId }) => chatId === place.chatId)) continue;
      try {
        const sent = await sender.send(place, question, { keyboard: questionKeyboard(key, approval, question.isWhole) });
        posts.push({ chatId: place.chatId, messageId: sent.message_id });
        state.setApproval(key, { agentId, approvalId, text: question.text, posts, ...answersOf(approval, question.isWhole) });
      } catch (error) {
        if (error instanceof TelegramFatal) throw error;
        log.warn('an approval could not be shown', { chatId: place.chatId, agentId, error });
      }
    }
  }

  /** The approval chats, and those bound to this very agent. */
  async #placesFor(agentId: string): Promise<readonly Place[]> {
    const { port, allowedChats, approvalChats } = this.#options;
    const bound = (await port.bindings())
      .filter(({ target }) => target === `id:${agentId}`)
      .map(({ conversationId }) => placeOf(conversationId));
    const places = new Map<number, Place>();
    for (const chatId of approvalChats) places.set(chatId, { chatId, topicId: null });
    for (const place of bound)
      if (place !== null && allowedChats.has(place.chatId)) places.set(place.chatId, places.get(place.chatId) ?? place);
    return [...places.values()];
  }

  async #end(approval: Standing): Promise<void> {
    const { state, sender, log } = this.#options;
    const key = approvalKey(approval);
    const posts: ApprovalPosts | undefined = state.approvals.get(key);
    if (posts === undefined) return;
    const outcome = outcomeText(approval, (await this.#presses.get(key)) ?? null);
    this.#presses.delete(key);
    for (const post of posts.posts) {
      try {
        await sender.edit(post, { text: `${posts.text}\n\n${outcome}` });
      } catch (error) {
        if (error instanceof TelegramFatal) throw error;
        log.warn('how an approval ended could not be shown', { chatId: post.chatId, error });
      }
    }
    state.forgetApproval(key);
  }
}
