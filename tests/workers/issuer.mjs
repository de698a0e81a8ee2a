// An issuer on loopback: its keys, its tokens, and a server whose answers the test chooses.
import { generateKeyPairSync, sign } from 'node:crypto';
import http from 'node:http';

const base64url = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

export class Issuer {
  #privateKey;
  #server;
  asked = 0;

  constructor(kid = 'k') {
    this.rotate(kid);
    this.answer = (response) => response.end(this.keySet);
  }

  /** Another key; the tokens of the one before are no longer genuine. */
  rotate(kid) {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    this.#privateKey = privateKey;
    this.kid = kid;
    this.keySet = JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid, alg: 'ES256', use: 'sig' }] });
  }

  async listen() {
    this.#server = http.createServer((request, response) => {
      this.asked += 1;
      this.answer(response, request);
    });
    await new Promise((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${this.#server.address().port}`;
    return this;
  }

  close() {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  token({ kid = this.kid, ...claims } = {}) {
    const now = Math.floor(Date.now() / 1000);
    const payload = { iss: 'https://issuer.example', sub: 'alice', iat: now, exp: now + 300, ...claims };
    const message = `${base64url({ alg: 'ES256', kid })}.${base64url(payload)}`;
    const signature = sign('sha256', Buffer.from(message), { key: this.#privateKey, dsaEncoding: 'ieee-p1363' });
    return `${message}.${signature.toString('base64url')}`;
  }
}
