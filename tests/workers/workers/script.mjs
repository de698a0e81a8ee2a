// The policy is in the script, everything else is as it comes.
import { lychgate } from 'lychgate/workers';

const bundle = {
  apiVersion: 'lychgate.dev/v1alpha1',
  kind: 'Bundle',
  workload: { kind: 'gateway', namespace: 'production', labels: { app: 'api' } },
  resources: [{
    apiVersion: 'security.istio.io/v1',
    kind: 'AuthorizationPolicy',
    metadata: { name: 'read', namespace: 'production' },
    spec: { action: 'ALLOW', rules: [{ to: [{ operation: { methods: ['GET'] } }] }] },
  }],
};

export default lychgate({ bundle }, (request, env, context, decision) => Response.json({
  reason: decision.reason,
  headers: Object.fromEntries(request.headers),
}));
