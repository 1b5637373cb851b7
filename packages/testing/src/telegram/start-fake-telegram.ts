import type { RecordedRequest } from '../endpoint/fake-endpoint.ts';
import { HttpEndpoint } from '../endpoint/http-endpoint.ts';
import type { FakeMessage } from './fake-chats.ts';
import type { MethodName } from './methods.ts';
import { bot, type FakeTelegramOptions, type PersonSays, type TelegramFault, TelegramWorld } from './telegram-world.ts';
import type { FakeUpdate } from './update-queue.ts';

/** Starts a Bot API on loopback for one bot: its token is `fake.token`, its address `fake.url`. */
export async function startFakeTelegram(options: FakeTelegramOptions): Promise<FakeTelegram> {
  const world = new TelegramWorld(options);
  const endpoint = await HttpEndpoint.listen((exchange, report) => world.answer(exchange, report));
  return new FakeTelegram(world, endpoint);
}

/** The Bot API, the chats behind it and the people in them. `close()`, and so `await using`, throws when the bot broke the API's rules. */
export class FakeTelegram implements AsyncDisposable {
  readonly token = TelegramWorld.token;
  readonly url: string;
  readonly #world: TelegramWorld;
  readonly #endpoint: HttpEndpoint;

  constructor(world: TelegramWorld, endpoint: HttpEndpoint) {
    this.url = endpoint.url;
    this.#world = world;
    this.#endpoint = endpoint;
  }

  /** Everything in the chat, the bot's and the people's, oldest first. */
  messages(chatId: number): readonly FakeMessage[] {
    return [...this.#world.chat(chatId).messages];
  }

  /** What the bot wrote into the chat, as it reads now, oldest first. */
  botMessages(chatId: number): readonly FakeMessage[] {
    return this.messages(chatId).filter(({ from }) => from?.id === bot.id);
  }

  says(said: PersonSays): FakeMessage {
    return this.#world.says(said);
  }

  edits(message: FakeMessage, text: string): FakeMessage {
    return this.#world.edits(message, text);
  }

  /** Presses the button with this text; answers what the bot showed the person for it, once it has. */
  presses(message: FakeMessage, button: string, userId?: number): Promise<{ readonly text: string | undefined }> {
    return this.#world.presses(message, button, userId);
  }

  block(chatId: number): void {
    this.#world.chat(chatId).isBlocked = true;
  }

  /** The next call of this method meets this fault; several wait in line. */
  failNext(method: MethodName, fault: TelegramFault): void {
    this.#world.failNext(method, fault);
  }

  /** No call meets a fault any more. */
  mend(): void {
    this.#world.mend();
  }

  /** Updates that the bot has not confirmed. */
  get unconfirmed(): readonly FakeUpdate[] {
    return this.#world.updates.unconfirmed;
  }

  /** Whether a long poll waits now. */
  get isPolled(): boolean {
    return this.#world.updates.isPolled;
  }

  /** The newest calls of a method, oldest first. */
  calls(method: MethodName): readonly RecordedRequest[] {
    return this.#endpoint.requests.filter(({ path }) => path.endsWith(`/${method}`));
  }

  takeViolations(): readonly string[] {
    return this.#endpoint.takeViolations();
  }

  close(): Promise<void> {
    return this.#endpoint.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
