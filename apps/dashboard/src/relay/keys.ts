/** The names under which snapshots are kept. */
export const keys = {
  agents: ['agents'],
  messages: ['messages'],
  sessions: ['sessions'],
  nodes: ['nodes'],
  approvals: ['approvals'],
  holds: ['holds'],
  channels: ['channels'],
  me: ['me'],
  tasks: ['tasks'],
  pairs: ['pairs'],
  tokens: ['tokens'],
  threads: ['threads'],
  thread: (threadId: number) => ['threads', threadId],
  message: (messageId: number) => ['message', messageId],
  taskHistory: (taskId: number) => ['task-history', taskId],
  /** Every list of callbacks lies under this one. */
  callbacks: ['callbacks'],
  callbacksBy: (status: 'pending' | 'delivered' | 'dead') => ['callbacks', status],
  callbacksOf: (taskId: number) => ['callbacks', 'task', taskId],
  deliveries: (messageId: number) => ['deliveries', messageId],
} as const;
