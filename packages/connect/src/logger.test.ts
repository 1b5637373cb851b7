import { test } from 'vitest';
import { createLogger } from './logger.ts';

test.runIf(process.platform === 'linux')('a log that cannot be written ends nothing', async () => {
  const log = createLogger('info', '/dev/full');
  for (const word of ['one', 'two']) log.info(word);
  await new Promise((resolve) => setImmediate(resolve));
});
