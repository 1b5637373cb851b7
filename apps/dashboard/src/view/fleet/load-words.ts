import type { NodeLoad } from 'agent-relay-protocol';

/** How many agents a machine runs, and of how many where its owner limits them. */
export function saysRunning(count: number, capacity: number | undefined): string {
  if (capacity !== undefined) return `Runs ${count} of ${capacity} agents`;
  if (count === 0) return 'Runs no agent';
  return count === 1 ? 'Runs one agent' : `Runs ${count} agents`;
}

/** How busy it is. */
export const saysLoad = ({ cores, perMinute, freeMemoryBytes, totalMemoryBytes }: NodeLoad): string =>
  [
    ...(perMinute === undefined ? [] : [`Load ${perMinute.toFixed(1)} on ${cores === 1 ? 'one core' : `${cores} cores`}`]),
    `${gigabytes(freeMemoryBytes)} of ${gigabytes(totalMemoryBytes)} GB free`,
  ].join(' · ');

const gigabytes = (bytes: number): string => (bytes / 1_000_000_000).toFixed(1);
