import { LychgateError } from '../errors.js';
import type { PolicySource } from '../guard.js';

/** The members of `Env` that are named by strings. */
type Name<Env> = keyof Env & string;

/** Where a Worker has its policy from. */
export type WorkerPolicy<Env> =
  /** In the script: a bundle or its parts. One that does not load fails the deployment. */
  | PolicySource
  /** In a variable or a secret: a bundle as text or as JSON. */
  | { readonly binding: Name<Env> }
  /** In a KV namespace, read again from time to time; the last good one stays in force. */
  | {
      /** The binding of the namespace. */
      readonly kv: Name<Env>;
      /** The key of the bundle. */
      readonly key: string;
      /** How often to look for another one, in seconds; by default 60, the least that KV keeps. */
      readonly seconds?: number;
    };

/** What Lychgate calls on a KV namespace. */
interface Namespace {
  get(key: string, options: { type: 'text'; cacheTtl?: number }): Promise<string | null>;
}

/** The policy of the script, if that is where it is. */
export function inScript<Env>(policy: WorkerPolicy<Env>): PolicySource | undefined {
  return 'binding' in policy || 'kv' in policy ? undefined : policy;
}

/**
 * Reads a policy that is not in the script.
 *
 * @throws {LychgateError} `policy_missing` if there is none.
 */
export async function read<Env>(policy: WorkerPolicy<Env>, env: Env): Promise<PolicySource> {
  if ('kv' in policy) {
    const namespace = env[policy.kv] as Namespace | undefined;
    const bundle = await namespace?.get(policy.key, { type: 'text' });
    return { bundle: bundle ?? missing(`${policy.kv} has no key ${policy.key}`) };
  }
  if ('binding' in policy) {
    const bundle = env[policy.binding] as string | object | null | undefined;
    return { bundle: bundle ?? missing(`there is no binding ${policy.binding}`) };
  }
  return policy;
}

/** How long a policy is in force before it is read again, in milliseconds. */
export function lifetime<Env>(policy: WorkerPolicy<Env>): number {
  return 'kv' in policy ? (policy.seconds ?? 60) * 1000 : Infinity;
}

function missing(message: string): never {
  throw new LychgateError('policy_missing', message);
}
