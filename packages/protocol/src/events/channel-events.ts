import { z } from 'zod';
import { ChannelBindingSchema } from '../channel.ts';
import { told } from '../primitives.ts';

export const channelEvents = [
  z.object({ type: z.literal('channel.bound'), ...told, binding: ChannelBindingSchema }),
  z.object({ type: z.literal('channel.unbound'), ...told, binding: ChannelBindingSchema }),
] as const;
