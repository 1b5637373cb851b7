/** What a hook may be set off by: what happens to an agent on its machine. */
export const machineTriggers = [
  'spawned',
  'released',
  'turn_started',
  'turn_complete',
  'turn_failed',
  'item_started',
  'file_change',
  'command_executed',
  'approval_needed',
  'input_needed',
  'message_received',
  'stalled',
  'quota_warning',
  'context_warning',
] as const;

/** What only the relay knows of. */
export const relayOnlyTriggers = ['task_created', 'task_claimed', 'task_completed', 'task_failed', 'task_canceled'] as const;
/** What the relay's own hooks may be set off by. */
export const relayTriggers = ['spawned', 'released', 'approval_needed', 'message_received', 'stalled', ...relayOnlyTriggers] as const;
