/** One attempt at a post to a system outside. */
export interface PostRequest<Body extends string | Uint8Array = string> {
  readonly url: string;
  readonly body: Body;
  readonly headers: Readonly<Record<string, string>>;
}

/** The HTTP status with the `Retry-After` beside it, or why there was none. */
export type PostAnswer =
  | { readonly status: number; readonly error: null; readonly retryAfter?: string }
  | { readonly status: null; readonly error: string };

/** Carries posts out of the relay. Never rejects. */
export interface PostSender {
  send(request: PostRequest<string | Uint8Array>, signal: AbortSignal): Promise<PostAnswer>;
}
