import { connect } from 'node:net';

export interface RelayPulse {
  /** It has taken the connection, or may yet, and has said nothing: neither a word, nor that it is away. */
  readonly isSilent: boolean;
  close(): void;
}

const LIMIT_MS = 10_000;

/**
 * Asks whoever listens at that address for any word, by nothing but Node: the rest of this process is loaded meanwhile, and then it is known whether the
 * relay is one that answers. Of an address that is not named, or not plain, nothing is known.
 */
export function feelPulse(address: string | undefined): RelayPulse {
  const url = address !== undefined && URL.canParse(address) ? new URL(address) : null;
  if (url?.protocol !== 'http:') return { isSilent: false, close: () => {} };
  const socket = connect({ host: url.hostname.replace(/^\[|\]$/gu, ''), port: Number(url.port || 80) });
  let isSilent = true;
  const heard = () => {
    isSilent = false;
    socket.destroy();
  };
  for (const event of ['data', 'error', 'close']) socket.on(event, heard);
  socket.once('connect', () => socket.write(`HEAD /healthz HTTP/1.1\r\nHost: ${url.host}\r\nConnection: close\r\n\r\n`));
  socket.setTimeout(LIMIT_MS, heard);
  socket.unref();
  return {
    get isSilent() {
      return isSilent;
    },
    close: () => void socket.destroy(),
  };
}
