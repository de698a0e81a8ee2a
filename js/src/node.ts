export { describe, peerOf, type DescribeOptions, type NodeRequest } from './node/describe.js';
export {
  fastifyPlugin, type FastifyLike, type FastifyOptions, type FastifyReplyLike, type FastifyRequestLike,
} from './node/fastify.js';
export { middleware, send, upgrade, type Middleware, type NodeResponse, type UpgradeListener } from './node/middleware.js';
