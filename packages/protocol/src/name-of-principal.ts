import type { Principal } from './principal.ts';

/** How a principal is written in `sender.principal` and in the log. */
export function principalName(principal: Principal): string {
  switch (principal.type) {
    case 'owner':
    case 'anonymous':
      return principal.type;
    case 'agent':
      return `agent:${principal.agentId}`;
    case 'node':
      return `node:${principal.nodeId}`;
    case 'token':
      return `token:${principal.name}`;
    case 'integration':
      return `integration:${principal.name}`;
    case 'share':
      return `share:${principal.tokenId}`;
  }
}
