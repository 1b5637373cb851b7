/** The names under which snapshots are kept. */
export const keys = {
  agents: ['agents'],
  messages: ['messages'],
  sessions: ['sessions'],
  nodes: ['nodes'],
  approvals: ['approvals'],
  me: ['me'],
  deliveries: (messageId: number) => ['deliveries', messageId],
} as const;
