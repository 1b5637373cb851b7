import { availableParallelism, freemem, loadavg, platform, totalmem } from 'node:os';
import type { NodeLoad } from 'agent-relay-protocol';

/** How busy this machine is. Windows counts no waiting processes, and would say that there are none. */
export function machineLoad(): NodeLoad {
  const [perMinute = 0] = loadavg();
  return {
    cores: availableParallelism(),
    ...(platform() === 'win32' ? {} : { perMinute: Math.round(perMinute * 100) / 100 }),
    freeMemoryBytes: freemem(),
    totalMemoryBytes: totalmem(),
  };
}
