export {
  csrfGuard,
  type FastifyInstance,
  type FastifyPlugin,
  type FastifyReply,
  type FastifyRequest,
  type FastifyRequirement,
  type FastifySessions,
  fastifySessions,
} from "./adapters/fastify.ts";
export type { SignedSessionsOptions } from "./http/bind.ts";
export type * from "./http/request-types.ts";
