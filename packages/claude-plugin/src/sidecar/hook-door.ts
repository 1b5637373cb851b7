import type { Socket } from 'node:net';
import { type Log, parseJson } from 'agent-relay-wire';
import { z } from 'zod';
import type { HookDesk } from './hook-desk.ts';
import { LineServer } from './line-server.ts';

interface HookDoorOptions {
  readonly path: string;
  readonly desk: Pick<HookDesk, 'answer'>;
  readonly log: Log;
}

const Question = z.object({
  type: z.enum(['event', 'wait']),
  input: z.record(z.string(), z.unknown()),
  isUnattended: z.boolean().optional(),
});

/** Answers hooks, one question for each connection. A hook that goes away takes its question with it. */
export const serveHooks = ({ path, desk, log }: HookDoorOptions): Promise<LineServer> =>
  LineServer.listen({
    path,
    onLine: (line, socket) => {
      answer(line, socket, desk).catch((error: unknown) => {
        log.error('a hook was not answered', { error });
        socket.destroy();
      });
    },
  });

async function answer(line: string, socket: Socket, desk: HookDoorOptions['desk']): Promise<void> {
  const { isUnattended = false, ...question } = Question.parse(parseJson(line));
  const gone = new AbortController();
  socket.once('close', () => gone.abort());
  const given = await desk.answer({ ...question, isUnattended }, gone.signal);
  socket.end(JSON.stringify(given));
}
