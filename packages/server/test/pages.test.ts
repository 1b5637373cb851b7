import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RELAY_VERSION } from 'agent-relay-protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openServer } from './support/open-server.ts';
import { rawBytes, rawRequest } from './support/raw-http.ts';

const folder = mkdtempSync(join(tmpdir(), 'agent-relay-pages-'));
const dashboardFolder = join(folder, 'dashboard');

beforeAll(() => {
  mkdirSync(join(dashboardFolder, 'assets'), { recursive: true });
  writeFileSync(join(folder, 'secret.txt'), 'secret');
  writeFileSync(join(dashboardFolder, 'index.html'), '<!doctype html><title>Dashboard</title>');
  writeFileSync(join(dashboardFolder, 'favicon.svg'), '<svg/>');
  writeFileSync(join(dashboardFolder, 'empty.txt'), '');
  writeFileSync(join(dashboardFolder, 'assets', 'index-Ab12_cD-.js'), 'run()');
  symlinkSync(join(folder, 'secret.txt'), join(dashboardFolder, 'linked.txt'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('files have their types, hashed ones are kept for ever, and every page has the strict policy', async () => {
  await using server = await openServer({ dashboardFolder });
  const [index, deep, script, icon, empty, head] = await Promise.all([
    rawRequest(`${server.url}/`),
    rawRequest(`${server.url}/agents/Lead`, { headers: { accept: 'text/html,*/*;q=0.8' } }),
    rawRequest(`${server.url}/assets/index-Ab12_cD-.js`),
    rawRequest(`${server.url}/favicon.svg`),
    rawRequest(`${server.url}/empty.txt`),
    rawRequest(`${server.url}/`, { method: 'HEAD' }),
  ]);
  expect([index.text, deep.text, head.text]).toEqual([expect.stringContaining('Dashboard'), index.text, '']);
  expect(index.headers).toMatchObject({ 'cache-control': 'no-cache', 'content-type': 'text/html; charset=utf-8' });
  expect(index.headers['content-security-policy']).toMatch(/default-src 'none'; script-src 'self';.*frame-ancestors 'none'/u);
  expect(script).toMatchObject({ text: 'run()', headers: { 'cache-control': 'public, max-age=31536000, immutable' } });
  expect([icon.headers['content-type'], empty.status, empty.text]).toEqual(['image/svg+xml', 200, '']);
});

test('the marketplace of its plugin is there for everybody, and names no files that an address cannot hold', async () => {
  await using server = await openServer({ dashboardFolder });
  const { status, body } = await rawRequest(`${server.url}/marketplace.json`);
  expect([status, body]).toMatchObject([
    200,
    {
      name: 'agent-relay',
      plugins: [{ name: 'agent-relay', source: { source: 'npm', package: 'agent-relay-plugin', version: RELAY_VERSION } }],
    },
  ]);
});

test.each(['/health', '/healthz', '/mcp/', '/api', '/metrics/', '/agents/Lead'])('a program that asks %s gets no page', async (path) => {
  await using server = await openServer({ dashboardFolder });
  expect(await rawRequest(`${server.url}${path}`, { headers: { accept: '*/*' } })).toMatchObject({
    status: 404,
    body: { error: { code: 'not_found' } },
  });
});

test('a probe that says it is a browser gets no page where only programs look', async () => {
  await using server = await openServer({ dashboardFolder });
  expect((await rawRequest(`${server.url}/healthz`, { headers: { accept: 'text/html' } })).status).toBe(404);
});

test('scripts are sent packed to browsers that take it, and as they are to everybody else', async () => {
  await using server = await openServer({ dashboardFolder });
  const url = `${server.url}/assets/index-Ab12_cD-.js`;
  const packed = await fetch(url, { headers: { 'accept-encoding': 'gzip, br' } });
  expect([await packed.text(), packed.headers.get('content-encoding'), packed.headers.get('vary')]).toEqual([
    'run()',
    'gzip',
    'accept-encoding',
  ]);
  expect(packed.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
  const plain = await fetch(url, { headers: { 'accept-encoding': 'identity' } });
  expect([await plain.text(), plain.headers.get('content-encoding'), plain.headers.get('content-length')]).toEqual(['run()', null, '5']);
  const head = await rawRequest(url, { method: 'HEAD', headers: { 'accept-encoding': 'gzip' } });
  expect([head.text, head.headers['content-length']]).toEqual(['', packed.headers.get('content-length')]);
});

test.each([
  '/../secret.txt',
  '/..%2fsecret.txt',
  '/%2e%2e/secret.txt',
  '/assets/..%5c..%5c..%5csecret.txt',
  '/linked.txt',
  '/%00.txt',
  '/%E0%A4%A.txt',
  `/${'a'.repeat(300)}.txt`,
  '/missing.js',
])('%s gives nothing away', async (path) => {
  await using server = await openServer({ dashboardFolder });
  const answer = await rawBytes(server.port, `GET ${path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`);
  expect(answer).toMatch(/^HTTP\/1\.1 404 /u);
  expect(answer).not.toContain('secret.txt');
});

test('a dashboard that was not built says so; only GET and HEAD reach a page', async () => {
  await using server = await openServer();
  const [page, post] = await Promise.all([rawRequest(`${server.url}/`), rawRequest(`${server.url}/`, { method: 'POST' })]);
  expect([page.status, page.text.includes('was not built'), post.status, post.headers.allow]).toEqual([
    404,
    true,
    405,
    'GET, HEAD, OPTIONS',
  ]);
});
