import { expect, test } from 'vitest';
import { readFields } from '../form/read-fields.ts';
import { readCardForm } from './read-card-form.ts';

const read = (fields: Readonly<Record<string, string>>) => {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  return readCardForm(readFields(form));
};

test('names are parted by spaces or commas and said once; an empty label is none', () => {
  expect(read({ label: ' ', tags: 'a, b  a', capabilities: '', channels: '#deploy ops' })).toEqual({
    label: null,
    tags: ['a', 'b'],
    capabilities: [],
    channels: ['deploy', 'ops'],
    approval: null,
  });
});

test('a star follows every channel', () => {
  expect(read({ label: 'api', channels: 'deploy *', approval: 'guarded' })).toMatchObject({
    label: 'api',
    channels: null,
    approval: 'guarded',
  });
});
