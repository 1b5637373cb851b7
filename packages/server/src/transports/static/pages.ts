import { createReadStream } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { RelayError } from 'agent-relay-protocol';
import { isWithin } from 'agent-relay-wire/node';
import type { Endpoint, Exchange } from '../http/endpoint.ts';
import { PackedFiles, takesGzip } from './packed-files.ts';

const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.webmanifest': 'application/manifest+json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.webp': 'image/webp',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
};

/** Only our own files run, and only our own relay is spoken to; inline styles are what the interface library positions with. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const pageHeaders = {
  'content-security-policy': contentSecurityPolicy,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
};

/** A name that changes with its content, as the dashboard's build makes them. */
const hashedName = /^\/assets\/.+-[\w-]{8,}\.\w+$/u;

/** What most of a page's weight is. */
const packable = /\.(?:js|css)$/u;

/** Where programs look for something that is no page: a page there would tell a probe that all is well for ever. */
const ofPrograms = /^\/(?:api|mcp|ws|metrics|status|ping|(?:health|live|ready)\w*)(?:\/|$)/iu;

/** Whether the page answers: at the front door, and to whoever asks for one where only pages are. */
const isPage = (path: string, accept: string | undefined): boolean =>
  path === '/' || (!ofPrograms.test(path) && accept?.includes('text/html') === true);

/** Serves the built dashboard: its files, and to browsers its one page for every other path that is no file's. */
export function pagesEndpoint(folder: string): Endpoint {
  const packed = new PackedFiles();
  return {
    methods: ['GET', 'HEAD'],
    serve: async (exchange) => {
      const { path, request } = exchange;
      const file = await fileAt(folder, path);
      const isHashed = hashedName.test(path);
      if (file !== undefined && isHashed && packable.test(file.path) && takesGzip(request.headers['accept-encoding'])) {
        return sendPacked(exchange, file, await packed.of(file.path));
      }
      if (file !== undefined) return sendFile(exchange, file, isHashed);
      if (extname(path) !== '') throw new RelayError('not_found', 'There is no such file');
      if (!isPage(path, request.headers.accept)) {
        throw new RelayError('not_found', 'There is nothing for programs at this path: the API is below /api, its health at /api/health');
      }
      const index = await fileAt(folder, '/index.html');
      if (index !== undefined) return sendFile(exchange, index, false);
      sendText(exchange, 404, notBuilt);
    },
  };
}

interface FoundFile {
  readonly path: string;
  readonly sizeBytes: number;
}

/** `undefined` for what is not there, is no file, or lies outside of the folder once links are followed. */
async function fileAt(folder: string, urlPath: string): Promise<FoundFile | undefined> {
  const relative = decodePath(urlPath);
  if (relative === undefined || relative.includes('\0')) return undefined;
  try {
    const root = await realpath(folder);
    const path = await realpath(join(root, relative));
    if (!isWithin(path, root)) return undefined;
    const status = await stat(path);
    return status.isFile() ? { path, sizeBytes: status.size } : undefined;
  } catch {
    // Missing, unreadable, a name too long: for the browser all of it is a file that is not there.
    return undefined;
  }
}

function decodePath(urlPath: string): string | undefined {
  try {
    return decodeURIComponent(urlPath);
  } catch {
    return undefined;
  }
}

const fileHeaders = (path: string, isImmutable: boolean) => ({
  ...pageHeaders,
  'content-type': contentTypes[extname(path)] ?? 'application/octet-stream',
  'cache-control': isImmutable ? 'public, max-age=31536000, immutable' : 'no-cache',
});

function sendPacked({ response }: Exchange, { path }: FoundFile, content: Buffer): void {
  response.appendHeader('vary', 'accept-encoding');
  response.writeHead(200, { ...fileHeaders(path, true), 'content-encoding': 'gzip', 'content-length': content.length });
  // Node keeps the body of an answer to HEAD back by itself.
  response.end(content);
}

async function sendFile({ request, response }: Exchange, { path, sizeBytes }: FoundFile, isImmutable: boolean): Promise<void> {
  response.appendHeader('vary', 'accept-encoding');
  response.writeHead(200, { ...fileHeaders(path, isImmutable), 'content-length': sizeBytes });
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  try {
    await pipeline(createReadStream(path, { end: Math.max(0, sizeBytes - 1) }), response);
  } catch {
    // The browser has gone, or the file was replaced while it was sent: the connection says so.
    response.destroy();
  }
}

function sendText({ response }: Exchange, status: number, html: string): void {
  response.writeHead(status, {
    ...pageHeaders,
    'content-type': 'text/html; charset=utf-8',
    'content-length': Buffer.byteLength(html),
    'cache-control': 'no-store',
  });
  response.end(html);
}

const notBuilt = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Agent Relay</title>
<h1>The dashboard was not built</h1>
<p>The relay itself runs. In a checkout, <code>npm start</code> builds the dashboard and the relay together.</p>
</html>
`;
