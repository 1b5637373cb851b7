import type { Socket } from 'node:net';

type Done = (error?: Error | null) => void;
interface Chunk {
  readonly chunk: string | Uint8Array;
  readonly encoding: BufferEncoding;
}
type WriteOne = (chunk: unknown, encoding: BufferEncoding, done: Done) => void;
type WriteMany = (chunks: { chunk: unknown; encoding: BufferEncoding }[], done: Done) => void;

/** What is longer goes to the kernel in pieces of this size. */
const PIECE_BYTES = 32 * 1024;

/** How much of what was written to a socket has gone, also in the middle of a long write. */
export interface Written {
  readonly bytes: number;
}

/**
 * Lets a socket write what is long piece by piece. Of one write, and of all that waits behind one, Node says nothing until the last byte has gone: a
 * slow reader of a long answer looks like one that reads nothing.
 */
export function writePiecewise(socket: Socket): Written {
  const written = { bytes: 0 };
  const one: WriteOne = socket._write.bind(socket);
  const many: WriteMany | undefined = socket._writev?.bind(socket);
  if (!many) return written;
  const counted = (bytes: number, done: Done): Done => {
    return (error) => {
      if (!error) written.bytes += bytes;
      done(error);
    };
  };
  const inPieces = async (chunks: readonly Chunk[], done: Done) => {
    let failure: Error | null = null;
    for (const piece of piecesOf(chunks)) {
      failure = await new Promise((resolve) =>
        many(
          piece,
          counted(lengthOf(piece), (error) => resolve(error ?? null)),
        ),
      );
      if (failure) break;
    }
    done(failure);
  };
  socket._write = (chunk: Chunk['chunk'], encoding: BufferEncoding, done: Done) => {
    const bytes = bytesIn({ chunk, encoding });
    if (bytes <= PIECE_BYTES) one(chunk, encoding, counted(bytes, done));
    else void inPieces([{ chunk, encoding }], done);
  };
  socket._writev = (chunks: Chunk[], done: Done) => {
    const bytes = lengthOf(chunks);
    if (bytes <= PIECE_BYTES) many(chunks, counted(bytes, done));
    else void inPieces(chunks, done);
  };
  return written;
}

const bytesIn = ({ chunk, encoding }: Chunk): number => (typeof chunk === 'string' ? Buffer.byteLength(chunk, encoding) : chunk.length);

const lengthOf = (chunks: readonly Chunk[]): number => chunks.reduce((sum, each) => sum + bytesIn(each), 0);

function* piecesOf(chunks: readonly Chunk[]): Generator<Chunk[]> {
  let piece: Chunk[] = [];
  let room = PIECE_BYTES;
  for (const { chunk, encoding } of chunks) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk;
    for (let start = 0; start < bytes.length; ) {
      const part = bytes.subarray(start, start + room);
      piece.push({ chunk: part, encoding });
      start += part.length;
      room -= part.length;
      if (room > 0) continue;
      yield piece;
      piece = [];
      room = PIECE_BYTES;
    }
  }
  if (piece.length > 0) yield piece;
}
