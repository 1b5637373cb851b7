import { useConnectionState, useNodes } from '../relay/use-relay.ts';

const words = {
  connecting: { text: 'connecting', tone: 'bg-warn' },
  live: { text: 'live', tone: 'bg-good' },
  lost: { text: 'connection lost, trying again', tone: 'bg-bad' },
  'signed-out': { text: 'signed out', tone: 'bg-bad' },
} as const;

export function ConnectionBadge() {
  const { text, tone } = words[useConnectionState()];
  const { data: nodes = [] } = useNodes();
  const online = nodes.filter(({ status }) => status === 'online');
  return (
    <div className="flex items-center gap-4 text-soft text-xs">
      <span title={online.map(({ name }) => name).join(', ')}>
        {online.length} {online.length === 1 ? 'machine' : 'machines'}
      </span>
      <span className="flex items-center gap-1.5" role="status">
        <span className={`size-2 rounded-full ${tone}`} />
        {text}
      </span>
    </div>
  );
}
