import type { ModelRequest } from '../model/model-request.ts';

export interface RecordedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  /** Set for requests that asked the model something. */
  readonly model: ModelRequest | undefined;
  readonly receivedAt: number;
}

/** A model endpoint on loopback that a real CLI takes for its vendor's. */
export interface FakeEndpoint extends AsyncDisposable {
  readonly url: string;
  /** The newest requests, oldest first; bounded. */
  readonly requests: readonly RecordedRequest[];
  /** What the fake model did that a real one could not, such as calling a tool that was not offered. */
  readonly violations: readonly string[];
  /** Returns the violations and forgets them, for tests that provoke one. */
  takeViolations(): readonly string[];
  /** @throws when there were violations. */
  assertNoViolations(): void;
  /** Ends every request and stops listening. @throws when there were violations. */
  close(): Promise<void>;
  /** What the CLI needs in its environment to talk to this endpoint. */
  env(): Record<string, string>;
}
