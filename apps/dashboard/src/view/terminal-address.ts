/** The relay's address as a program of the same machine reaches it: the names below `localhost` are for browsers alone. */
export function terminalAddress({ protocol, hostname, port, origin }: Pick<Location, 'protocol' | 'hostname' | 'port' | 'origin'>): string {
  return hostname === 'localhost' || hostname.endsWith('.localhost') ? `${protocol}//127.0.0.1${port === '' ? '' : `:${port}`}` : origin;
}
