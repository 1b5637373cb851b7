import { z } from 'zod';
import { ApprovalSchema } from '../approval.ts';
import { told } from '../primitives.ts';

export const approvalEvents = [
  z.object({ type: z.literal('approval.requested'), ...told, approval: ApprovalSchema }),
  z.object({ type: z.literal('approval.resolved'), ...told, approval: ApprovalSchema }),
] as const;
