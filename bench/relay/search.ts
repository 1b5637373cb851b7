import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createNodeRelayClient } from 'agent-relay-client/node';
import { median, option, startRelay } from './programs.ts';

/**
 * A search of our relay against the same full-text query run bare on the same database, interleaved; prints ratios.
 * Usage, after a build: node bench/relay/search.ts [--entries 1000000] [--rounds 200]
 */
const entries = option('entries', 1_000_000);
const rounds = option('rounds', 200);
const folder = mkdtempSync(join(tmpdir(), 'agent-relay-bench-'));
const path = join(folder, 'relay.db');
const Database = createRequire(join(import.meta.dirname, '../../packages/server/package.json'))('better-sqlite3');

/** Half of what is written is a few common words, the rest is rare. */
let state = 1;
const random = () => {
  state = (state * 48_271) % 2_147_483_647;
  return state / 2_147_483_647;
};
const word = () => `w${Math.floor(random() ** 3 * 50_000).toString(36)}`;
const text = () => Array.from({ length: 12 }, word).join(' ');

const first = await startRelay(path, ['reader']);
await first.stop();
const database = new Database(path);
const insert = database.prepare(
  "INSERT INTO activity (workspace, agent_id, session_id, seq, at, late, event) VALUES ('default', ?, ?, ?, ?, 0, ?)",
);
database.exec("INSERT INTO meta (key, value) VALUES ('bench', 0)");
for (let done = 0; done < entries; done += 10_000) {
  database.transaction(() => {
    for (let index = done; index < Math.min(entries, done + 10_000); index += 1) {
      const event = { type: 'text.completed', turnId: 't', itemId: 'i', text: text() };
      insert.run(`agent${index % 20}`, `s${index % 200}`, index + 1, Date.now() - (entries - index), JSON.stringify(event));
    }
  })();
}
database.close();

const relay = await startRelay(path, []);
const client = createNodeRelayClient({ url: relay.url.replace('ws', 'http').replace(/\/ws$/u, ''), token: relay.tokens['owner'] ?? '' });
const indexedFrom = performance.now();
while ((await client.search.find({ text: 'w0', limit: 1 })).behind > 0);
const indexSeconds = (performance.now() - indexedFrom) / 1_000;

const bare = new Database(path, { readonly: true });
const hits = bare.prepare('SELECT rowid FROM activity_words WHERE activity_words MATCH ? ORDER BY rowid DESC LIMIT 50');
const row = bare.prepare('SELECT id, agent_id, session_id, seq, at, event FROM activity WHERE id = ?');
bare.exec("CREATE VIRTUAL TABLE temp.shown USING fts5(text, tokenize = 'porter unicode61 remove_diacritics 2')");
const put = bare.prepare('INSERT INTO temp.shown (text) VALUES (?)');
const show = bare.prepare("SELECT snippet(shown, 0, '', '', '', 24) FROM temp.shown WHERE shown MATCH ?");
const clear = bare.prepare('DELETE FROM temp.shown');
const kinds = {
  'a common word': () => 'w0',
  'two words': () => `w${(5 + Math.floor(random() * 30)).toString(36)} w0`,
  'a rare word': word,
};

/** Neither side is measured before it is warm. */
const WARMING = 20;
for (const [name, make] of Object.entries(kinds)) {
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = -WARMING; round < rounds; round += 1) {
    const query = make();
    const bareFrom = performance.now();
    const phrase = query
      .split(' ')
      .map((each) => `text : "${each}"`)
      .join(' AND ');
    for (const id of hits.pluck().all(phrase)) {
      put.run(JSON.parse(row.get(id).event).text);
      show.get(
        query
          .split(' ')
          .map((each) => `"${each}"`)
          .join(' OR '),
      );
      clear.run();
    }
    const bareMs = performance.now() - bareFrom;
    const oursFrom = performance.now();
    await client.search.find({ text: query, limit: 50, in: 'activity' });
    if (round < 0) continue;
    theirs.push(bareMs);
    ours.push(performance.now() - oursFrom);
  }
  const p95 = (values: number[]) => [...values].sort((one, other) => one - other)[Math.floor(values.length * 0.95)] ?? 0;
  console.log(
    `| ${name} | p50 ${median(ours).toFixed(2)} / ${median(theirs).toFixed(2)} ms | p95 ${p95(ours).toFixed(2)} / ${p95(theirs).toFixed(2)} ms | ${(p95(ours) / p95(theirs)).toFixed(2)} | at most 1.5 |`,
  );
}
console.log(`${entries} entries were indexed in ${indexSeconds.toFixed(0)} s`);
bare.close();
await client.close();
await relay.stop();
rmSync(folder, { recursive: true, force: true });
