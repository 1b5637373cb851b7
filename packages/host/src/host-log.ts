/** The part of a pino logger the host uses: fields first, then a constant message. Never a body, never a token. */
export interface HostLog {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
