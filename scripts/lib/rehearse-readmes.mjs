// Run where the packages are installed from a registry, beside their READMEs: everything that an example imports is there, and the examples
// that are whole programs do what they say. Arguments: the packages' names.
import { deepStrictEqual, match, ok } from 'node:assert';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';

const names = process.argv.slice(2);
/** @param {string} file @returns {string[]} */
const examplesOf = (file) => [...readFileSync(file, 'utf8').matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code = '']) => code);
/** Loads only inside Vitest. */
const forTests = new Set(['agent-relay-provider/testing']);

let imports = 0;
for (const file of ['root', ...names].map((name) => `${name}.md`)) {
  for (const code of examplesOf(file)) {
    for (const [, list = '', from = ''] of code.matchAll(/^import \{([^}]*)\} from '([^']+)';$/gm)) {
      if (forTests.has(from)) continue;
      const module = await import(from);
      for (const name of list.split(',').map((each) => each.trim())) {
        if (name !== '' && !name.startsWith('type ')) ok(name in module, `${file} imports ${name} from ${from}, which has no such name`);
      }
      imports += 1;
    }
  }
}
ok(imports >= names.length, `only ${imports} imports were found in the READMEs`);

// Found in the consumer's project, not here.
const found = { server: 'agent-relay-server/testing', client: 'agent-relay-client/node' };
/** @type {{ startTestRelay: () => Promise<any> }} */
const { startTestRelay } = await import(found.server);
/** @type {{ createNodeRelayClient: (options: object) => any }} */
const { createNodeRelayClient } = await import(found.client);
const relay = await startTestRelay();
const owner = createNodeRelayClient({ url: relay.url, token: relay.ownerToken });

/**
 * Runs an example that answers its mail, against the relay of this program.
 *
 * @param {string} code @param {string} agent @param {string} answer
 */
async function answers(code, agent, answer) {
  writeFileSync('example.mjs', code.replaceAll('http://127.0.0.1:4850', relay.url));
  const program = spawn(process.execPath, ['example.mjs'], { stdio: ['ignore', 'inherit', 'inherit'] });
  const exited = once(program, 'exit');
  const asker = await owner.register({ id: `asks-${agent}`, name: `asks-${agent}`, tags: ['reviewers'], capabilities: ['backend'] });
  await until(async () => (await owner.agents.list({})).data.some((/** @type {{ id: string }} */ { id }) => id === agent));
  await owner.messages.send({ from: `asks-${agent}`, to: agent, body: 'Well?' });
  for await (const { from, body } of asker.inbox()) {
    if (from !== agent || !body.startsWith(answer)) continue;
    deepStrictEqual(body, `${answer}Well?`);
    break;
  }
  await asker.close();
  program.kill('SIGKILL');
  await exited;
}

/** @param {() => Promise<boolean>} isSo */
async function until(isSo) {
  for (const deadline = Date.now() + 30_000; !(await isSo()); ) {
    ok(Date.now() < deadline, 'it did not come to be');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** @param {string} file @param {RegExp} about */
function exampleOf(file, about) {
  const example = examplesOf(file).find((code) => about.test(code));
  ok(example, `${file} has no example of ${about}`);
  return example;
}

await answers(exampleOf('root.md', /createNodeRelayClient/), 'build-bot', 'Noted: ');
await answers(exampleOf('agent-relay-client.md', /cap:backend/), 'reviewer', 'I read: ');
await owner.close();
await relay.close();

for (const about of [/startServer/, /startTestRelay/]) {
  writeFileSync('example.mjs', exampleOf('agent-relay-server.md', about));
  const program = spawn(process.execPath, ['example.mjs'], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  program.stdout.on('data', (chunk) => {
    output += chunk;
  });
  const [code] = await once(program, 'exit');
  deepStrictEqual(code, 0);
  if (about.test('startServer')) match(output, /^http:\/\/127\.0\.0\.1:\d+$/m);
}
