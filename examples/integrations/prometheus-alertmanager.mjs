#!/usr/bin/env node
// Prometheus Alertmanager webhook (version 4) → one task for each alert; a resolved alert resolves its task.
//
//   node prometheus-alertmanager.mjs < delivery.json
//   node prometheus-alertmanager.mjs --listen 9095        # receivers: [{ name: relay, webhook_configs: [{ url: http://127.0.0.1:9095/ }] }]
//
// ALERT_TARGET (default cap:ops), ALERT_CHANNEL, AGENT_RELAY_URL, INTEGRATION_TOKEN.
import { run } from './webhook.mjs';

const { ALERT_TARGET: target = 'cap:ops', ALERT_CHANNEL: channel } = process.env;

function toEvent(alert) {
  const { labels = {}, annotations = {} } = alert;
  const lines = [
    annotations.description,
    ...Object.entries(labels).map(([name, value]) => `${name}: ${value}`),
    alert.startsAt && `since ${alert.startsAt}`,
  ];
  return {
    type: 'alarm',
    status: alert.status === 'resolved' ? 'resolved' : 'open',
    severity: labels.severity ?? 'warning',
    // Alertmanager repeats a firing alert under the same fingerprint, which is what a task is one of.
    dedupeKey: `alertmanager:${alert.fingerprint}`,
    title: (annotations.summary ?? labels.alertname ?? 'Alert').slice(0, 256),
    body: lines.filter(Boolean).join('\n').slice(0, 60_000),
    target,
    ...(channel ? { channel } : {}),
    ...(URL.canParse(alert.generatorURL) ? { externalUrl: alert.generatorURL } : {}),
    metadata: { labels },
  };
}

await run(({ body }) => {
  const { version, alerts } = JSON.parse(body.toString());
  if (version !== '4' || !Array.isArray(alerts)) throw new Error('this is no Alertmanager webhook of version 4');
  return alerts.map(toEvent);
});
