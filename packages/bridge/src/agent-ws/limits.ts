/** Bounds of the protocol, which clients of agent-ws count on: bytes of UTF-8, but `requestId` and `projectId` in characters. */
export const limits = {
  promptBytes: 524_288,
  systemPromptBytes: 65_536,
  requestIdLength: 256,
  projectIdLength: 128,
  images: 4,
  imageBytes: 10_485_760,
  files: 100,
  fileBytes: 52_428_800,
  payloadBytes: 52_428_800,
  connectionsPerAddress: 10,
  heartbeatMs: 30_000,
} as const;

export const imageTypes = ['image/png', 'image/jpeg', 'image/gif', 'image/webp'] as const;
