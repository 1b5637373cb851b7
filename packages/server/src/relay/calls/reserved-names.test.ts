import { expect, test } from 'vitest';
import { ReservedNames } from './reserved-names.ts';

test('a machine reserves what it offers now, however often it attaches, and never a name of the relay’s own', () => {
  const reserved = new ReservedNames(['ci']);
  reserved.offer('one', ['codex', 'ci']);
  reserved.offer('two', ['codex']);
  for (let round = 0; round < 100; round += 1) reserved.offer('one', [`kind-${round}`]);
  const likeness = (...names: string[]) => names.map((name) => reserved.likenessOf(name));
  expect(likeness('kind-0', 'kind-98', 'kind-99', 'Codex', 'сі', 'owner')).toEqual([null, null, 'kind-99', 'codex', 'ci', 'owner']);
  expect(likeness('person:anna', 'Реrson:anna', 'per\u200bson:x', 'person', 'personal: x')).toEqual([
    'person:',
    'person:',
    'person:',
    null,
    null,
  ]);
  const near = ['owner.', 'Owner-', 'owner~', 'ovvner', 'owner ✔', '“owner”', 'relay.', 'codex-'];
  expect(likeness(...near)).toEqual(['owner', 'owner', 'owner', 'owner', 'owner', 'owner', 'relay', 'codex']);
  expect(likeness('Person : Alice', '“person:alice”', 'a person:alice')).toEqual(['person:', 'person:', 'person:']);
  expect(likeness('codex-1', 'owner-of-tests', 'my-relay', '-')).toEqual([null, null, null, null]);
  reserved.offer('two', []);
  expect(likeness('codex', 'ci')).toEqual([null, 'ci']);
});
