import { expect, test } from 'vitest';
import { ListedApprovalStatusSchema } from './approval.ts';
import { relayEventTypes } from './data/relay-event-types.ts';
import { EventFilterSchema } from './relay-event.ts';
import { ListedTaskStatusSchema, NewTaskStatusSchema } from './task.ts';

test.each(['canceled', 'cancelled'])(
  '%s is taken wherever something that was called off is asked for, and becomes the word of its resource',
  (word) => {
    expect(ListedTaskStatusSchema.parse(word)).toBe('canceled');
    expect(NewTaskStatusSchema.parse(word)).toBe('canceled');
    expect(ListedApprovalStatusSchema.parse(word)).toBe('cancelled');
    expect(EventFilterSchema.parse({ types: [`task.${word}`, `claim.${word}`] }).types).toEqual(['task.canceled', 'claim.cancelled']);
  },
);

test('a task is canceled, everything else is cancelled', () => {
  expect(relayEventTypes.filter((type) => type.includes('cancel'))).toEqual(['claim.cancelled', 'task.canceled']);
});
