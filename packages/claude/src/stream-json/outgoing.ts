import { RelayError } from 'agent-relay-protocol';
import { z } from 'zod';

const ContentBlock = z.looseObject({ type: z.string().min(1) });
const JsonObject = z.record(z.string(), z.unknown());

const UserFrame = z.looseObject({
  type: z.literal('user'),
  message: z.looseObject({ role: z.literal('user'), content: z.union([z.string(), z.array(ContentBlock).min(1)]) }),
  uuid: z.uuid().optional(),
  session_id: z.string().optional(),
  parent_tool_use_id: z.string().nullish(),
  priority: z.enum(['now', 'next', 'later']).optional(),
  shouldQuery: z.boolean().optional(),
});
export type UserInputFrame = z.input<typeof UserFrame>;

const ControlRequest = z.looseObject({
  type: z.literal('control_request'),
  request_id: z.string().min(1),
  request: z.looseObject({ subtype: z.string().min(1) }),
});

const ControlResponse = z.looseObject({
  type: z.literal('control_response'),
  response: z.discriminatedUnion('subtype', [
    z.looseObject({ subtype: z.literal('success'), request_id: z.string().min(1), response: JsonObject.optional() }),
    z.looseObject({ subtype: z.literal('error'), request_id: z.string().min(1), error: z.string() }),
  ]),
});

const OutgoingFrameSchema = z.discriminatedUnion('type', [
  UserFrame,
  ControlRequest,
  ControlResponse,
  z.looseObject({ type: z.literal('control_cancel_request'), request_id: z.string().min(1) }),
  z.looseObject({ type: z.literal('keep_alive') }),
  z.looseObject({ type: z.literal('update_environment_variables'), variables: z.record(z.string(), z.string()) }),
]);
export type OutgoingFrame = z.input<typeof OutgoingFrameSchema>;

/**
 * A frame that is safe to write. One bad line (no `message`, another role, a `control_request` without `request`) ends every known
 * version of the CLI at once with the running turn, so nothing reaches it unchecked.
 * @throws RelayError `validation_failed`, naming the fields.
 */
export function checkOutgoing(frame: unknown): OutgoingFrame {
  const parsed = OutgoingFrameSchema.safeParse(frame);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map(({ path, message }) => ({ path: path.join('.'), message }));
  throw new RelayError('validation_failed', 'This is no frame that Claude Code understands', { issues });
}
