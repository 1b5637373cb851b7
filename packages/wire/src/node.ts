export type { ConnectWebSocketOptions } from './node/connect-web-socket.ts';
export { connectWebSocket } from './node/connect-web-socket.ts';
export type { WebSocketDuplexOptions } from './node/web-socket-duplex.ts';
export { webSocketDuplex } from './node/web-socket-duplex.ts';
