import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { RelayError } from 'agent-relay-protocol';
import { isFileError } from './owner-token.ts';

/** Answers the port. @throws RelayError with one sentence: the port is taken, or not to be had. */
export function listenOn(server: Server, { host, port }: { readonly host: string; readonly port: number }): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(listenFault(error, host, port)));
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port)); // it listens on TCP, never on a pipe
  });
}

function listenFault(cause: Error, host: string, port: number): RelayError {
  if (isFileError(cause, 'EADDRINUSE')) {
    return new RelayError('busy', `Port ${port} of ${host} is taken: stop what listens there, or choose another with --port`, { cause });
  }
  if (isFileError(cause, 'EACCES'))
    return new RelayError('forbidden', `Port ${port} of ${host} needs more rights: choose one above 1023`, { cause });
  return new RelayError('unsupported', `The relay cannot listen on ${host}, port ${port}: ${cause.message}`, { cause });
}

/** How a relay is reached from its own machine: an address for all interfaces is none to connect to. */
export function localUrl(host: string, port: number): string {
  if (host === '0.0.0.0') return `http://127.0.0.1:${port}`;
  if (host === '::') return `http://[::1]:${port}`;
  return `http://${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${port}`;
}
