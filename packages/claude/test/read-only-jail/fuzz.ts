import { parseArgs } from 'node:util';
import { isReadOnlyCommand } from '../../src/provider/read-only-command.ts';
import { fuzzReadOnly } from './run-fuzz.ts';

// node --conditions=agent-relay-source packages/claude/test/read-only-jail/fuzz.ts --commands 100000 --seed 1
const { values } = parseArgs({ options: { commands: { type: 'string', default: '100000' }, seed: { type: 'string', default: '1' } } });
const [commands, seed] = [Number(values.commands), Number(values.seed)];
let told = 0;
const report = await fuzzReadOnly({
  commands,
  seed,
  isReadOnly: isReadOnlyCommand,
  onProgress: (done) => {
    if (done - told < 5_000) return;
    told = done;
    console.log(`${done} judged`);
  },
});
console.log({ commands, seed, ...report });
process.exitCode = report.guilty.length === 0 ? 0 : 1;
