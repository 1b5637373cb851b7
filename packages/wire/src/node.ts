export type { ConnectWebSocketOptions } from './node/connect-web-socket.ts';
export { connectWebSocket } from './node/connect-web-socket.ts';
export type { EnvLine } from './node/env-file.ts';
export { parseEnvLines, readEnvText } from './node/env-file.ts';
export type { FindExecutableOptions } from './node/find-executable.ts';
export { findExecutable } from './node/find-executable.ts';
export type { EditedYaml, FollowedYamlOptions } from './node/followed-yaml.ts';
export { FollowedYaml } from './node/followed-yaml.ts';
export { howItEnded, lastWords, withoutColours } from './node/last-words.ts';
export { underLockLimit } from './node/lock-limit.ts';
export { isLoopbackAddress, isLoopbackHost } from './node/loopback.ts';
export type { NdjsonDuplexOptions } from './node/ndjson-duplex.ts';
export { ndjsonDuplex, ndjsonStreams } from './node/ndjson-duplex.ts';
export { assertOwnFile } from './node/own-file.ts';
export { isWithin, pathBelow } from './node/path-below.ts';
export type { PostToSign } from './node/post-headers.ts';
export { postHeaders } from './node/post-headers.ts';
export type { EnvironmentSource, ProcessEnvironment } from './node/process-environment.ts';
export { commandLineOf, environmentOf, environmentOfSync, environmentParts, hasInEnvironment } from './node/process-environment.ts';
export type { ProcessIdentity } from './node/process-identity.ts';
export { isSameProcess, processIdentity } from './node/process-identity.ts';
export type { KillTreeOptions, KillTreeResult } from './node/process-tree.ts';
export { killProcessTree } from './node/process-tree.ts';
export type { RunningRelay } from './node/relay-places.ts';
export {
  databasePathOf,
  defaultDatabasePath,
  envFilePathOf,
  hooksFileOf,
  lastRunningRelay,
  ownerTokenPath,
  readOwnerToken,
  runningRelayPath,
} from './node/relay-places.ts';
export { sendable } from './node/sendable.ts';
export type { SignedBody } from './node/signature.ts';
export { isSigned, SIGNATURE_HEADER, SIGNATURE_TOLERANCE_MS, signBody } from './node/signature.ts';
export { assertSocketOfOwner, isSocketOfOwner, pipeOfSecret } from './node/socket-owner.ts';
export type { ChildHandle, ProcessExit, SpawnProcessOptions } from './node/spawn-process.ts';
export { spawnProcess } from './node/spawn-process.ts';
export type { StartedProcess, StartProcessOptions } from './node/start-process.ts';
export { startProcess } from './node/start-process.ts';
export { TurnCork } from './node/turn-cork.ts';
export { TurnPace } from './node/turn-pace.ts';
export type { WebSocketDuplexOptions } from './node/web-socket-duplex.ts';
export { transportOf, webSocketDuplex } from './node/web-socket-duplex.ts';
export { readYaml, tryYaml } from './node/yaml-file.ts';
