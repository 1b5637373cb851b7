import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Outbox } from './outbox.ts';

test('what an earlier process kept and cannot be read is told, and costs nothing else that it kept', () => {
  const folder = mkdtempSync(join(tmpdir(), 'outbox-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const told: string[] = [];
  const open = () =>
    new Outbox({
      folder,
      now: () => 1,
      onFault: () => expect.fail('the disk takes it'),
      onUnreadable: (path) => told.push(path.slice(folder.length + 1)),
    });
  open().add({ type: 'seen', messageId: 7 });
  writeFileSync(join(folder, '0.json'), '{"type":"send"');
  writeFileSync(join(folder, '1.json'), '{"type":"odd"}');
  mkdirSync(join(folder, '2.json'));
  expect(open().entries.map(({ entry }) => entry)).toEqual([{ type: 'seen', messageId: 7 }]);
  expect(told).toEqual(['0.json', '1.json', '2.json']);
});
