import { setImmediate as nextTurn } from 'node:timers/promises';
import { type AnyMessage, CLIENT_METHODS, type Stream } from '@agentclientprotocol/sdk';
import type { MessageDuplex } from 'agent-relay-wire';

export interface AcpStreamOptions {
  /** The params of each `session/update`, in order and one at a time: while one is awaited nothing more is read. */
  readonly onUpdate: (params: unknown) => Promise<void> | void;
  /** JSON that is no message of the protocol, and answers to what nobody asked. */
  readonly onStray: (frame: unknown) => void;
  /** An answer of ours has been taken, or could not be sent. */
  readonly onAnswered: (id: unknown) => void;
}

/**
 * A duplex as the SDK reads it. Updates do not go through the SDK: it validates them strictly, drops those that it cannot read, and lets the answer of
 * a prompt overtake the updates before it.
 */
export function acpStream(duplex: MessageDuplex, { onUpdate, onStray, onAnswered }: AcpStreamOptions): Stream {
  const incoming = duplex.incoming[Symbol.asyncIterator]();
  const asked = new Set<unknown>();

  const nextMessage = async (): Promise<AnyMessage | undefined> => {
    for (;;) {
      const next = await incoming.next();
      if (next.done) return undefined;
      const frame: unknown = next.value;
      if (!isRecord(frame)) onStray(frame);
      else if (frame['method'] === CLIENT_METHODS.session_update && !('id' in frame)) await onUpdate(frame['params']);
      else if (typeof frame['method'] === 'string' || (isAnswer(frame) && asked.delete(frame['id']))) return asMessage(frame);
      else onStray(frame);
    }
  };

  const readable = new ReadableStream<AnyMessage>(
    {
      async pull(controller) {
        // What was handed over last has had its effect before anything after it is read.
        await nextTurn();
        const message = await nextMessage();
        if (message === undefined) controller.close();
        else controller.enqueue(message);
      },
    },
    { highWaterMark: 0 },
  );
  const writable = new WritableStream<AnyMessage>({
    async write(message) {
      if ('method' in message && 'id' in message) asked.add(message.id);
      try {
        await duplex.send(message);
      } finally {
        if (!('method' in message)) onAnswered(message.id);
      }
    },
  });
  return { readable, writable };
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

/** With a method beside it the SDK would take it for neither, and what was asked would wait for ever. */
const isAnswer = (frame: Record<string, unknown>): boolean =>
  !('method' in frame) && 'id' in frame && ('result' in frame || 'error' in frame);

/** The version field decides nothing for us, and agents have been seen to forget it. The SDK checks what else it needs. */
const asMessage = (frame: Record<string, unknown>): AnyMessage => ({ ...frame, jsonrpc: '2.0' }) as AnyMessage;
