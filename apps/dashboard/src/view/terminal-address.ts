type Place = Pick<Location, 'protocol' | 'hostname' | 'port' | 'origin'>;

const isNameOfThisMachine = (hostname: string): boolean => hostname === 'localhost' || hostname.endsWith('.localhost');

/** The relay's address as a program of the same machine reaches it: the names below `localhost` are for browsers alone. */
export function terminalAddress({ protocol, hostname, port, origin }: Place): string {
  return isNameOfThisMachine(hostname) ? `${protocol}//127.0.0.1${port === '' ? '' : `:${port}`}` : origin;
}

/** Whether an address leads nowhere on any other machine. */
export const isOfThisMachine = ({ hostname }: Pick<Place, 'hostname'>): boolean =>
  isNameOfThisMachine(hostname) || hostname === '[::1]' || /^127(?:\.\d+){3}$/u.test(hostname);
