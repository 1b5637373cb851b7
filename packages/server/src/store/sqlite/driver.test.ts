import { expect, test } from 'vitest';
import { databaseObstacle, driverErrorOf, driverObstacle } from './driver.ts';

test.each([
  ['20.20.2', 9, '12.11.1'],
  ['22.13.1', 9, '12.11.1'],
  ['22.14.0', 10, '13.2.0'],
  ['26.1.0', 10, '14.0.0'],
])('Node %s (Node-API %i) opens databases with better-sqlite3 %s', (node, nodeApi, driver) => {
  expect(driverObstacle({ node, nodeApi, driver })).toBe(null);
});

test.each([
  ['20.20.2', 9, '13.2.0'],
  ['22.13.1', 9, '13.0.0'],
  ['20.20.2', 9, '14.0.0'],
])('Node %s (Node-API %i) would be ended by better-sqlite3 %s, and is told what to do', (node, nodeApi, driver) => {
  const said = driverObstacle({ node, nodeApi, driver });
  for (const part of ['Node 22.14 or newer', driver, `Node ${node}`, 'install']) expect(said).toContain(part);
});

test('a driver that is not there is named, and the one beside these tests is found', () => {
  expect(driverObstacle({ node: '24.0.0', nodeApi: 10, driver: null })).toMatch(/better-sqlite3 is not installed/u);
  expect(databaseObstacle()).toBe(null);
});

test('a binary of another Node is a sentence, any other fault stays what it is', () => {
  const foreign = Object.assign(new Error('was compiled against a different Node.js version'), { code: 'ERR_DLOPEN_FAILED' });
  expect(driverErrorOf(foreign)).toMatchObject({
    code: 'store_unavailable',
    message: expect.stringContaining('another Node'),
    cause: foreign,
  });
  expect(driverErrorOf(new Error('Could not locate the bindings file. Tried: …'))).toMatchObject({ code: 'store_unavailable' });
  const missing = (name: string) => Object.assign(new Error(`Cannot find module '/x/${name}'`), { code: 'MODULE_NOT_FOUND' });
  expect(driverErrorOf(missing('build/Release/better_sqlite3.node'))).toMatchObject({ code: 'store_unavailable' });
  expect(driverErrorOf(missing('other.node'))).toBe(null);
  expect(driverErrorOf(new Error('something else'))).toBe(null);
});
