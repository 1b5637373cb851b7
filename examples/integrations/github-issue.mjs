#!/usr/bin/env node
// GitHub `issues` webhook → a task for each issue that carries the label LABEL (default agent); closing the issue resolves it.
//
//   node github-issue.mjs < delivery.json
//   GITHUB_WEBHOOK_SECRET=… node github-issue.mjs --listen 9096     # behind a proxy with TLS
//
// ISSUE_TARGET (default cap:code), ISSUE_CHANNEL, AGENT_RELAY_URL, INTEGRATION_TOKEN.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { run } from './webhook.mjs';

const { ISSUE_TARGET: target = 'cap:code', ISSUE_CHANNEL: channel, LABEL: label = 'agent', GITHUB_WEBHOOK_SECRET: secret } = process.env;

/** Anybody can reach a webhook's address: only a delivery with GitHub's signature counts. */
function assertSigned(headers, body) {
  if (!secret) throw Object.assign(new Error('set GITHUB_WEBHOOK_SECRET to listen'), { status: 500 });
  const given = Buffer.from(String(headers['x-hub-signature-256'] ?? ''));
  const expected = Buffer.from(`sha256=${createHmac('sha256', secret).update(body).digest('hex')}`);
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
    throw Object.assign(new Error('the signature is wrong'), { status: 401 });
  }
}

function toEvents({ action, issue, repository }) {
  const isOver = action === 'closed' || action === 'deleted' || action === 'transferred';
  const isLabelled = issue.labels.some(({ name }) => name === label);
  const isNews = ['opened', 'reopened', 'edited', 'labeled'].includes(action);
  if (!isOver && !(isLabelled && isNews)) return [];
  return [
    {
      type: 'issue',
      status: isOver ? 'resolved' : 'open',
      dedupeKey: `github:${repository.full_name}#${issue.number}`,
      title: `${repository.full_name}#${issue.number}: ${issue.title}`.slice(0, 256),
      body: (issue.body ?? '').slice(0, 60_000),
      target,
      ...(channel ? { channel } : {}),
      externalUrl: issue.html_url,
      metadata: { author: issue.user.login, labels: issue.labels.map(({ name }) => name) },
    },
  ];
}

await run(({ headers, body }) => {
  const isDelivery = Object.keys(headers).length > 0;
  if (isDelivery) assertSigned(headers, body);
  if (isDelivery && headers['x-github-event'] !== 'issues') return [];
  return toEvents(JSON.parse(body.toString()));
});
