import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { writePiecewise } from '../src/transports/piecewise-writes.ts';
import { poll } from './support/poll.ts';

async function linked() {
  const listening = createServer().listen(0, '127.0.0.1');
  await once(listening, 'listening');
  const { port } = listening.address() as AddressInfo; // it listens on TCP
  const reader = connect(port, '127.0.0.1');
  const [writer] = (await once(listening, 'connection')) as [Socket]; // what a server hands over
  reader.pause();
  return {
    reader,
    writer,
    [Symbol.asyncDispose]: async () => {
      reader.destroy();
      writer.destroy();
      listening.close();
      await once(listening, 'close');
    },
  };
}

const long = Buffer.from(Array.from({ length: 16 * 1024 * 1024 }, (_, index) => (index * 31) % 251));

test('a long write shows how far it has gone, and arrives as it was written', async () => {
  await using link = await linked();
  const { reader, writer } = link;
  const written = writePiecewise(writer);
  writer.write('head');
  writer.write(long);
  writer.cork();
  writer.write('ünd ');
  writer.write(long);
  writer.end('tail');
  await poll('the first pieces', () => written.bytes > 'head'.length);
  const before = written.bytes;
  expect([before < long.length, writer.writableLength > long.length]).toEqual([true, true]);
  const chunks: Buffer[] = [];
  reader.on('data', (chunk: Buffer) => chunks.push(chunk)).resume();
  await once(reader, 'end');
  const expected = Buffer.concat([Buffer.from('head'), long, Buffer.from('ünd '), long, Buffer.from('tail')]);
  expect(Buffer.concat(chunks).equals(expected)).toBe(true);
  expect(written.bytes).toBe(expected.length);
});

test('a long write whose reader goes away fails once', async () => {
  await using link = await linked();
  const { reader, writer } = link;
  const written = writePiecewise(writer);
  writer.on('error', () => {});
  reader.on('error', () => {});
  const failures: boolean[] = [];
  writer.write(long, (error) => failures.push(Boolean(error)));
  await poll('the first pieces', () => written.bytes > 0);
  reader.resetAndDestroy();
  await poll('its end', () => writer.closed);
  expect(failures).toEqual([true]);
});
