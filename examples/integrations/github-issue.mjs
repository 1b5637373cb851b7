#!/usr/bin/env node
// GitHub `issues` webhook → a task for each issue that carries the label LABEL (default agent); closing the issue, or taking the
// label away, resolves it.
//
//   node github-issue.mjs < delivery.json
//   GITHUB_WEBHOOK_SECRET=… node github-issue.mjs --listen 9096     # behind a proxy with TLS
//
// ISSUE_TARGET (default cap:code), ISSUE_CHANNEL, AGENT_RELAY_URL, INTEGRATION_TOKEN.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { line, parseJson, run, unacceptable, webAddress } from './webhook.mjs';

const { ISSUE_TARGET: target = 'cap:code', ISSUE_CHANNEL: channel, LABEL: label = 'agent', GITHUB_WEBHOOK_SECRET: secret } = process.env;

/** Anybody can reach a webhook's address: only a delivery with GitHub's signature counts. */
function assertSigned(headers, body) {
  if (!secret) throw unacceptable('set GITHUB_WEBHOOK_SECRET to listen', 500);
  const given = Buffer.from(String(headers['x-hub-signature-256'] ?? ''));
  const expected = Buffer.from(`sha256=${createHmac('sha256', secret).update(body).digest('hex')}`);
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
    throw unacceptable('the signature is wrong', 401);
  }
}

/** GitHub sends JSON, or a form whose `payload` is JSON: what its settings page offers first. */
function payloadOf(headers, body) {
  const isForm = String(headers['content-type'] ?? '').startsWith('application/x-www-form-urlencoded');
  return parseJson(isForm ? (new URLSearchParams(body.toString()).get('payload') ?? '') : body.toString());
}

function toEvents({ action, issue, repository, label: changed }) {
  if (!issue?.number || !repository?.full_name) throw unacceptable('this names no issue of a repository');
  const labels = (issue.labels ?? []).flatMap((one) => (typeof one?.name === 'string' ? [one.name] : []));
  const isOver = ['closed', 'deleted', 'transferred'].includes(action) || (action === 'unlabeled' && changed?.name === label);
  // An issue that is closed makes no task, whatever is written there: nothing would end it.
  const isNews = ['opened', 'reopened', 'edited', 'labeled'].includes(action) && issue.state !== 'closed';
  if (!isOver && !(labels.includes(label) && isNews)) return [];
  const externalUrl = webAddress(issue.html_url);
  return [
    {
      type: 'issue',
      status: isOver ? 'resolved' : 'open',
      dedupeKey: `github:${repository.full_name}#${issue.number}`,
      title: line(`${repository.full_name}#${issue.number}: ${issue.title ?? ''}`, 256),
      body: (issue.body ?? '').slice(0, 60_000).toWellFormed(),
      target,
      ...(channel ? { channel } : {}),
      ...(externalUrl ? { externalUrl } : {}),
      // Who has left GitHub is nobody there.
      metadata: { author: issue.user?.login ?? 'ghost', labels },
    },
  ];
}

await run(({ headers, body }) => {
  const isDelivery = Object.keys(headers).length > 0;
  if (isDelivery) assertSigned(headers, body);
  if (isDelivery && headers['x-github-event'] !== 'issues') return [];
  return toEvents(payloadOf(headers, body));
});
