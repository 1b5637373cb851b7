import { z } from 'zod';
import { NodePairingSchema, PairingCodeSchema } from '../node-pairing.ts';
import { LabelSchema, listByIdOf, OpaqueIdSchema, pageById } from '../primitives.ts';
import { route } from '../route.ts';
import { NodeSchema } from '../session.ts';

/** How long machines may take to look for their programs. */
export const NODE_LOOK_MS = 20_000;

/** Routes of the table. */
export const nodeRoutes = {
  'nodes/list': route({
    method: 'GET',
    path: '/nodes',
    scope: 'nodes:read',
    anonymous: true,
    summary: 'Machines that run agents, by id',
    input: z.strictObject({
      ...pageById,
      look: z
        .boolean()
        .optional()
        .describe('Have the connected machines look first which programs they have now; takes some seconds, and a credential'),
    }),
    wait: { field: 'look', ms: NODE_LOOK_MS },
    output: listByIdOf(NodeSchema),
  }),
  'nodes/pairings': route({
    method: 'GET',
    path: '/nodes/pairings',
    scope: 'nodes:write',
    anonymous: false,
    summary: 'Machines that ask to be paired, by code',
    input: z.strictObject(pageById),
    output: listByIdOf(NodePairingSchema),
  }),
  'nodes/pair': route({
    method: 'POST',
    path: '/nodes/pair',
    scope: 'nodes:write',
    anonymous: false,
    summary: 'Accept the machine that shows this code: it gets a token of its own',
    input: z.strictObject({
      code: PairingCodeSchema,
      name: LabelSchema.optional().describe('Defaults to what it calls itself; gets a number where another machine is called so'),
    }),
    output: NodeSchema,
    status: 201,
  }),
  'nodes/rename': route({
    method: 'PATCH',
    path: '/nodes/:id',
    scope: 'nodes:write',
    anonymous: false,
    summary: 'Call a paired machine something else',
    input: z.strictObject({ id: OpaqueIdSchema, name: LabelSchema }),
    output: NodeSchema,
  }),
  'nodes/remove': route({
    method: 'DELETE',
    path: '/nodes/:id',
    scope: 'nodes:write',
    anonymous: false,
    summary: "Revoke a machine's token, end its link and its agents, and take it out of the list",
    input: z.strictObject({ id: OpaqueIdSchema }),
    output: NodeSchema,
  }),
} as const;
