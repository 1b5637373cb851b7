/** One attempt at a post to a system outside. */
export interface PostRequest {
  readonly url: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** The HTTP status with the `Retry-After` beside it, or why there was none. */
export type PostAnswer =
  | { readonly status: number; readonly error: null; readonly retryAfter?: string }
  | { readonly status: null; readonly error: string };

/** Carries posts out of the relay. Never rejects. */
export interface PostSender {
  send(request: PostRequest, signal: AbortSignal): Promise<PostAnswer>;
}
