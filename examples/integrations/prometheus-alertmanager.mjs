#!/usr/bin/env node
// Prometheus Alertmanager webhook (version 4) → one task for each alert; a resolved alert resolves its task.
//
//   node prometheus-alertmanager.mjs < delivery.json
//   node prometheus-alertmanager.mjs --listen 9095        # receivers: [{ name: relay, webhook_configs: [{ url: http://127.0.0.1:9095/ }] }]
//
// ALERT_TARGET (default cap:ops), ALERT_CHANNEL, AGENT_RELAY_URL, INTEGRATION_TOKEN.
import { createHash } from 'node:crypto';
import { line, parseJson, run, unacceptable, webAddress } from './webhook.mjs';

const { ALERT_TARGET: target = 'cap:ops', ALERT_CHANNEL: channel } = process.env;

const sorted = (record) => Object.entries(record).sort(([left], [right]) => (left < right ? -1 : 1));

/**
 * What an alert is known by. Alertmanager repeats one under the same fingerprint, which it makes of the labels; where a sender leaves it out it is
 * made of them here. Two alerts never share a key because both lack one.
 */
function keyOf({ fingerprint, startsAt, generatorURL }, labels, annotations) {
  if (typeof fingerprint === 'string' && /^[\x21-\x7e]{1,200}$/u.test(fingerprint)) return fingerprint;
  const known = Object.keys(labels).length > 0 ? [sorted(labels)] : [sorted(annotations), startsAt, generatorURL];
  return createHash('sha256').update(JSON.stringify(known)).digest('hex').slice(0, 32);
}

function toEvent(alert) {
  const labels = alert.labels ?? {};
  const annotations = alert.annotations ?? {};
  const lines = [
    annotations.description,
    ...Object.entries(labels).map(([name, value]) => `${name}: ${value}`),
    alert.startsAt && `since ${alert.startsAt}`,
  ];
  const externalUrl = webAddress(alert.generatorURL);
  return {
    type: 'alarm',
    status: alert.status === 'resolved' ? 'resolved' : 'open',
    severity: line(labels.severity, 64) || 'warning',
    dedupeKey: `alertmanager:${keyOf(alert, labels, annotations)}`,
    title: line(annotations.summary, 256) || line(labels.alertname, 256) || 'Alert',
    body: lines.filter(Boolean).join('\n').slice(0, 60_000).toWellFormed(),
    target,
    ...(channel ? { channel } : {}),
    ...(externalUrl ? { externalUrl } : {}),
    metadata: { labels },
  };
}

await run(({ body }) => {
  const { version, alerts } = parseJson(body.toString());
  if (version !== '4' || !Array.isArray(alerts)) throw unacceptable('this is no Alertmanager webhook of version 4');
  return alerts.filter((alert) => typeof alert === 'object' && alert !== null).map(toEvent);
});
